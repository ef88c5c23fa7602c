"""A connection: what a hub writes until its reader takes it, what a client asks, and the ways in which it ends."""

import json
from collections import deque
from typing import TYPE_CHECKING

from hub.errors import Ended
from hub.fanout.fanout import Fanout
from hub.fanout.frames import Framing, frame
from hub.fanout.session import Session
from hub.limits import Limits
from hub.protocols.native.conversation import Conversation, Greeting
from hub.stream.pulse import Act, Pulse
from tests.simulation.node import HEARTBEAT_S, Node
from wire.messages import Disconnect
from wire.tokens import Principal

if TYPE_CHECKING:
    from tests.simulation.screen import Screen

LIMITS = Limits(ping_s=1_000_000)  # answers to pings are the library's
NOTICED_S_MAX = 1.5


class Link:
    """``unread``: what was written and not taken. ``open``: the client can still read from it, and be heard."""

    def __init__(self, node: Node, fanout: Fanout, screen: "Screen", unread_max: int) -> None:
        self.node = node
        self.unread: deque[bytes] = deque()
        self.open = True
        self.code: int | None = None
        self.session = Session(self._write, Framing.WEBSOCKET, fanout.delivery.pumping, fanout.counts)
        self.beside: int | None = None
        self._fanout = fanout
        self._screen = screen
        self._unread_max = unread_max
        self._pulse = Pulse(node.loop.time())
        self._broken = False
        self._principal = Principal("owner", "key", frozenset({f"stock:read:{screen.location}"}))
        self._conversation = Conversation(fanout, self.session, LIMITS, Greeting(node.name, HEARTBEAT_S))
        fanout.join(self.session)
        node.links[self] = None

    # what the client does

    def send(self, text: str) -> None:
        self.node.loop.call_later(0.001, self._heard, text)

    def take(self) -> bytes | None:
        """The next message, if one has come."""
        if not self.unread:
            return None
        message = self.unread.popleft()
        if self._pulse.blocked_at is not None and len(self.unread) <= self._unread_max // 4:
            self._pulse.blocked_at = None
            self.session.resumed()
            self.node.ticker.schedule_flush()
        return message

    def close(self) -> None:
        """The client leaves, and the hub learns of it at once."""
        self.open = False
        self.unread.clear()
        self._leave()

    def cut(self, prefix: int, noticed_s: float) -> None:
        """The network fails: of what is under way the first ``prefix`` messages arrive. The hub notices later."""
        self.open = False
        while len(self.unread) > prefix:
            self.unread.pop()
        self._broken = True
        self.node.loop.call_later(noticed_s, self._leave)

    # what the hub does

    def look(self) -> None:
        due = self._pulse.due(self.node.loop.time(), 0, LIMITS)
        if isinstance(due, Ended):
            self.node.counts["reader ended, too slow"] += 1
            self.end(due)
        elif due is Act.ABORT:
            self.cut(0, 0)
            self._screen.noticed(self)

    def end(self, ended: Ended) -> None:
        """Say why, and close; the client learns of it when it has read that far."""
        if self._pulse.closing_at is None and self.open:
            self._write(frame(Disconnect(ended.code, ended.reason, ended.reconnect, ended.after_ms), Framing.WEBSOCKET))
            self.code = int(ended.code)
            self._pulse.closing_at = self.node.loop.time()
            self.session.lost()

    def vanish(self) -> None:
        """Its hub is gone: what was written may still arrive."""
        self.open = False
        self.node.links.pop(self, None)

    def _heard(self, text: str) -> None:
        if not self.open or not self.node.alive or not self.session.open:
            return
        self._pulse.waiting_for_us = True
        self.node.counts["second subscription"] += self.beside is not None
        try:
            asked = self._conversation.receive(text, 0.0)
            if asked is not None:
                self._conversation.authenticated(asked, self._principal, 0.0)
        except Ended as ended:
            self.end(ended)
        self.node.ticker.schedule_flush()

    def _write(self, data: bytes) -> None:
        if self._broken:
            raise OSError("the transport is closing")
        self.unread.extend(payloads(data))
        if self._pulse.blocked_at is None and len(self.unread) > self._unread_max:
            self.node.counts["connection over its limit"] += 1
            self._pulse.blocked_at = self.node.loop.time()
            self.session.paused()
        self._screen.written(self)

    def _leave(self) -> None:
        if self in self.node.links:
            del self.node.links[self]
            self._fanout.leave(self.session)


def payloads(data: bytes) -> list[bytes]:
    """Every message in a run of unmasked, unfragmented WebSocket text frames."""
    found = []
    at = 0
    while at < len(data):
        assert data[at] == 0x81
        size, at = data[at + 1], at + 2
        if size == 126:
            size, at = int.from_bytes(data[at : at + 2]), at + 2
        elif size == 127:
            size, at = int.from_bytes(data[at : at + 8]), at + 8
        found.append(data[at : at + size])
        at += size
    return found


def subscribe_text(id_: int, location: str, skus: list[str] | None) -> str:
    selection = {"location": location} if skus is None else {"location": location, "skus": skus}
    return json.dumps({"type": "subscribe", "id": id_, **selection})


def unsubscribe_text(id_: int, sub: int) -> str:
    return json.dumps({"type": "unsubscribe", "id": id_, "sub": sub})
