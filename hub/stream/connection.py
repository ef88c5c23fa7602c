"""One WebSocket connection: the library's, which never waits for a client that does not read, answer or go."""

import asyncio
from typing import Any, Protocol

from websockets.asyncio.server import Server, ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from hub.entry.door import Caller
from hub.errors import Ended
from hub.fanout.frames import Framing, frame
from hub.fanout.session import Session
from hub.limits import Limits
from hub.stream.pulse import Act, Pulse
from hub.stream.stream_protocol import Answers, StreamProtocol, log, shortened
from wire.messages import Disconnect
from wire.tokens import Principal

PHASES = ("connecting", "serving", "slow", "closing")
ANSWERED = Request("", Headers())
"""Of every connection in the place of its own request: the library takes what comes for one where there is none."""


class Port(Answers, Protocol):
    """What a connection tells the port that it came in on."""

    def came(self, connection: "Connection") -> None:
        """It was accepted, and has shown no key yet."""

    def left(self, connection: "Connection") -> None:
        """Its transport is gone."""

    def schedule_flush(self) -> None:
        """It has drained, and may be written what it is owed."""


class Connection(ServerConnection):
    """``session`` is set when there is one to serve; ``principal`` on the upgrade, if it was authorized there;
    ``visits_from``, the address, if it was not and comes from a page that may visit.

    Raw frames are written through ``session.write`` by whoever has them: this class keeps ``session.writable`` true
    only while the WebSocket is open (no close frame was sent) and its transport is below the write limit.

    Most connections say nothing most of the time, and there are thousands: nothing stays that no later message needs.
    """

    __slots__ = ("_port", "_unread", "caller", "cut_off", "limits", "principal", "pulse", "session", "visits_from")

    def __init__(
        self,
        protocol: ServerProtocol,
        server: Server,
        limits: Limits,
        port: Port,
        **options: Any,
    ) -> None:
        super().__init__(protocol, server, **options)
        self.caller = Caller()
        self._port = port
        self.limits = limits
        self.pulse = Pulse(self.loop.time())
        self.session: Session | None = None
        self.principal: Principal | None = None
        self.visits_from: str | None = None
        self.cut_off = False
        self._unread: frozenset[str] = frozenset()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # several may want reading to stop, such as the queue of messages and the write limit: it goes on when none does
        self.recv_messages.pause = self._queue_full
        self.recv_messages.resume = self._queue_taken
        self._port.came(self)

    def data_received(self, data: bytes) -> None:
        self.pulse.heard_at = self.loop.time()
        super().data_received(data)
        if self.request is not None and self.protocol.state is State.CONNECTING and self.protocol.reader.buffer:
            self._stop_reading("answer")  # a client that does not wait for our answer may not fill our memory meanwhile

    def answered(self) -> None:
        """The opening handshake is over: let go of it, and take what came in before its answer went out."""
        self.request, self.response = ANSWERED, None
        self._go_on_reading("answer")
        if self.protocol.state is State.OPEN:
            self.data_received(b"")

    def send_data(self) -> None:
        """Comes after whatever may have begun to close the connection, here or in the library."""
        if self.transport.is_closing():  # aborted: uvloop raises at whoever writes to it
            self.protocol.data_to_send()
        else:
            super().send_data()
        if self.protocol.eof_sent:  # a refused handshake too: its end is only noticed by reading
            self._go_on_reading("answer")
        self._notice_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._port.left(self)
        self._notice_closing()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.pulse.blocked_at = self.loop.time()
        self._stop_reading("write")
        if self.session is not None:
            self.session.paused()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.pulse.blocked_at = None
        self._go_on_reading("write")
        if self.session is not None:
            self.session.resumed()
            self._port.schedule_flush()

    def limit_messages(self, limits: Limits) -> None:
        """From now on it may say as much as these let it."""
        assert isinstance(self.protocol, StreamProtocol)
        self.protocol.limit_messages(limits)

    def end(self, ended: Ended) -> None:
        """Say why, and close. Returns at once. Safe to call twice.

        A client that does not answer the close is cut off by ``check_deadlines``.
        """
        if self.pulse.closing_at is not None:
            return
        self._port.ended(int(ended.code))
        if self.protocol.state is State.OPEN:
            reason = shortened(ended.reason)
            notice = Disconnect(int(ended.code), reason, ended.reconnect, ended.after_ms)
            if not self.transport.is_closing():
                self.transport.write(frame(notice, Framing.WEBSOCKET))
            self.protocol.send_close(ended.code, reason)
            self.send_data()
            log.debug("ending a connection code=%d reason=%r", ended.code, reason)

    @property
    def served(self) -> Principal | None:
        return self.principal if self.session is None else self.session.principal

    @property
    def phase(self) -> str:
        """One of ``PHASES``."""
        if self.pulse.closing_at is not None:
            return "closing"
        if self.session is None or self.session.principal is None:
            return "connecting"
        return "serving" if self.session.writable else "slow"

    def check_deadlines(self, now: float, wall: float) -> None:
        due = self.pulse.due(now, wall, self.limits)
        if due is Act.ABORT:
            self.abort()
        elif due is Act.PING and self.protocol.state is State.OPEN:
            self.protocol.send_ping(b"")
            self.send_data()
        elif isinstance(due, Ended):
            self.end(due)

    def abort(self) -> None:
        """Whoever does not answer a close is cut off. Safe to call twice."""
        if not self.cut_off:
            self.cut_off = True
            self.transport.abort()

    def _notice_closing(self) -> None:
        if self.protocol.state in (State.CLOSING, State.CLOSED) and self.pulse.closing_at is None:
            self.pulse.closing_at = self.loop.time()
            if self.session is not None:
                self.session.lost()

    def _queue_full(self) -> None:
        self._stop_reading("queue")

    def _queue_taken(self) -> None:
        self._go_on_reading("queue")

    def _stop_reading(self, why: str) -> None:
        self._unread |= {why}
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def _go_on_reading(self, why: str) -> None:
        if why not in self._unread:
            return
        self._unread -= {why}
        if not self._unread and not self.transport.is_closing():
            self.transport.resume_reading()
