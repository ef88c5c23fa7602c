"""One WebSocket connection: the library's, with our limits at the lowest place where they hold.

Frames are counted while they are parsed, since one read may hold tens of thousands of pings, each answered at once.
"""

import asyncio
import http
import logging
from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol

from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import HeaderLineTooLong, InvalidHeader, TooManyHeaders
from websockets.frames import CloseCode as StandardCode
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Protocol as WebSocketProtocol
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader
from websockets.typing import Origin, Subprotocol

from hub.endings import Ending
from hub.entry.door import Visitor
from hub.errors import Ended
from hub.fanout.frames import Framing, frame
from hub.fanout.session import Session
from hub.limits import Limits, Rate
from hub.stream.pulse import Act, Pulse
from wire.close_codes import CloseCode, Return, return_after
from wire.hosts import is_one_host
from wire.messages import SUBPROTOCOL, Disconnect, encode
from wire.tokens import Principal

VERSION_HEADER, VERSION = "Sec-WebSocket-Version", "13"
DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
# The library holds every frame to what is left of the message: a ping between the fragments of a large one must fit.
CONTROL_BYTES_MAX = 125
HEAD_BYTES_MAX = 16_384  # the library alone takes 128 lines of 8 KiB
HEADERS_MAX = 100
PHASES = ("connecting", "serving", "slow", "closing")
REASON_BYTES_MAX = 123  # a close frame holds 125 bytes, two of them the code

log = logging.getLogger("websockets.hub")  # the library logs each connection here, at INFO


class HeadReader(StreamReader):
    """Lines are only read for the head of the opening handshake: bounded together, not only one by one."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0
        self._lines = 0

    def read_line(self, m: int, too_long_exc_type: type[Exception] = RuntimeError) -> Generator[None, None, bytearray]:
        """Raises HeaderLineTooLong or TooManyHeaders too: the library answers both with 431."""
        line = yield from super().read_line(m, too_long_exc_type)
        self._bytes += len(line)
        self._lines += 1
        if self._bytes > HEAD_BYTES_MAX:
            raise HeaderLineTooLong(f"a request has at most {HEAD_BYTES_MAX} bytes before its body")
        if self._lines > HEADERS_MAX + 2:  # the request line, and the empty one at the end
            raise TooManyHeaders(f"a request has at most {HEADERS_MAX} headers")
        return line


class PatientProtocol(WebSocketProtocol):
    """Frames that come before the handshake's answer wait for it: a pong must not go out in front of the answer."""

    def parse(self) -> Generator[None]:
        while self.state is State.CONNECTING:
            if self.reader.eof:
                self.fail(StandardCode.ABNORMAL_CLOSURE)
            yield
        yield from super().parse()


class Port(Protocol):
    """What a connection tells the port that it came in on."""

    def came(self, connection: "Connection") -> None:
        """It was accepted, and has shown no key yet."""

    def left(self, connection: "Connection") -> None:
        """Its transport is gone."""

    def answered(self, status: int) -> None:
        """The upgrade was answered with this HTTP status."""

    def ended(self, code: int) -> None:
        """This side ends the connection, with this close code."""

    def schedule_flush(self) -> None:
        """It has drained, and may be written what it is owed."""


class StreamProtocol(ServerProtocol, PatientProtocol):
    """Counts frames against the rate, and says ``disconnect`` before the library fails the connection by itself."""

    def __init__(
        self,
        origins: Sequence[Origin | None] | None,
        limits: Limits,
        clock: Callable[[], float],
        port: Port,
    ) -> None:
        super().__init__(
            origins=origins,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=limits.message_bytes_max + CONTROL_BYTES_MAX,
            logger=log,
        )
        self._message_bytes_max = limits.message_bytes_max
        self._clock = clock
        self._port = port
        self._rate = Rate(limits.messages_per_minute, limits.messages_burst, clock())

    def parse(self) -> Generator[None]:
        self.reader = HeadReader()
        yield from super().parse()

    def send_response(self, response: Response) -> None:
        self._port.answered(response.status_code)
        super().send_response(response)

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """A client that offers none is taken at our word; one that offers only others is refused."""
        return super().select_subprotocol(subprotocols) if subprotocols else None

    def process_request(self, request: Request) -> tuple[str, str | None, str | None]:
        """A request without exactly one Host is refused, as RFC 6455, 4.2.1 also wants it."""
        if not is_one_host(request.headers.get_all("Host")):
            raise InvalidHeader("Host")
        return super().process_request(request)

    def accept(self, request: Request) -> Response:
        """RFC 6455, 4.2.2: a client that offers another version of the protocol is told which one there is."""
        response = super().accept(request)
        if isinstance(self.handshake_exc, InvalidHeader) and self.handshake_exc.name == VERSION_HEADER:
            status = http.HTTPStatus.UPGRADE_REQUIRED
            response.status_code, response.reason_phrase = status.value, status.phrase
            response.headers[VERSION_HEADER] = VERSION
        return response

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.CLOSE and not self._rate.take(self._clock()):
            self.fail(Ending.TOO_MANY_MESSAGES.code, Ending.TOO_MANY_MESSAGES.reason)
            return
        if frame.opcode in DATA and len(frame.data) + (self.current_size or 0) > self._message_bytes_max:
            too_big = Ended(Ending.TOO_BIG, bytes_max=self._message_bytes_max)
            self.fail(too_big.code, too_big.reason)
            return
        super().recv_frame(frame)

    def fail(self, code: int, reason: str = "") -> None:
        if code == StandardCode.MESSAGE_TOO_BIG:
            code = CloseCode.TOO_BIG
        reason = shortened(reason)
        if self.state is State.OPEN and code != StandardCode.ABNORMAL_CLOSURE:
            after_ms = Ending.TOO_MANY_MESSAGES.after_ms if code == CloseCode.RATE else 0
            reconnect = return_after(code) is not Return.NEVER
            self.send_text(encode(Disconnect(int(code), reason, reconnect, after_ms)))
            self._port.ended(int(code))
        super().fail(code, reason)


class Connection(ServerConnection):
    """``session`` is set when there is one to serve; ``principal`` on the upgrade, if it was authorized there.

    Raw frames are written through ``session.write`` by whoever has them: this class keeps ``session.writable`` true
    only while the WebSocket is open (no close frame was sent) and its transport is below the write limit.
    """

    def __init__(
        self,
        protocol: ServerProtocol,
        server: Server,
        limits: Limits,
        port: Port,
        **options: Any,
    ) -> None:
        super().__init__(protocol, server, **options)
        self.visitor = Visitor()
        self._port = port
        self.limits = limits
        self.pulse = Pulse(self.loop.time())
        self.session: Session | None = None
        self.principal: Principal | None = None
        self.cut_off = False
        self._unread: set[str] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # several may want reading to stop, such as the queue of messages and the write limit: it goes on when none does
        self.recv_messages.pause = lambda: self._stop_reading("queue")
        self.recv_messages.resume = lambda: self._go_on_reading("queue")
        self._port.came(self)

    def data_received(self, data: bytes) -> None:
        self.pulse.heard_at = self.loop.time()
        super().data_received(data)
        if self.request is not None and self.protocol.state is State.CONNECTING and self.protocol.reader.buffer:
            self._stop_reading("answer")  # a client that does not wait for our answer may not fill our memory meanwhile

    def answered(self) -> None:
        """The opening handshake is over: take what came in before its answer went out."""
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

    def _stop_reading(self, why: str) -> None:
        self._unread.add(why)
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def _go_on_reading(self, why: str) -> None:
        if why not in self._unread:
            return
        self._unread.discard(why)
        if not self._unread and not self.transport.is_closing():
            self.transport.resume_reading()


def shortened(reason: str) -> str:
    """What of it fits a close frame."""
    return reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore")
