"""From a message to the bytes that stand on a connection: encoded once, written to everybody. Pure.

A connection speaks one of two framings. WebSocket (RFC 6455): a text frame from a server, not masked, not fragmented,
no extension. Server-Sent Events (WHATWG HTML): one ``data:`` line, since JSON from our encoder has no line breaks.
"""

import struct
from enum import IntEnum

from hub.stock.held import State
from wire.messages import HubMessage, LevelState, Position, ThresholdState, ViewState, encode
from wire.trace import Trace

TEXT_FINAL = 0x81


class Framing(IntEnum):
    """Index into the tuple that ``framed`` returns."""

    WEBSOCKET = 0
    EVENT_STREAM = 1


Framed = tuple[bytes, bytes]


def framed(payload: bytes) -> Framed:
    return websocket_frame(payload), event_frame(payload)


def frame(message: HubMessage, framing: Framing, position: Position | None = None) -> bytes:
    """``position``: what an event stream's reader sends back as Last-Event-ID when it comes again."""
    payload = encode(message)
    if framing is Framing.WEBSOCKET:
        return websocket_frame(payload)
    return event_frame(payload, encode(position) if position else b"")


_BEGINNINGS: dict[type[State], bytes] = {
    LevelState: b'{"type":"level",',
    ViewState: b'{"type":"view",',
    ThresholdState: b'{"type":"threshold",',
}


def state_payload(state: State, trace: Trace | None = None) -> bytes:
    """A ``level``, ``view`` or ``threshold`` message: the fields of the state behind its type. ``trace``: of a level's
    change; what the public sees never tells."""
    payload = _BEGINNINGS[type(state)] + encode(state)[1:]
    if trace is None or not isinstance(state, LevelState):
        return payload
    return b'%b,"traceparent":"%b"}' % (payload[:-1], trace.traceparent().encode())


def websocket_frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((TEXT_FINAL, size)) + payload
    if size < 65_536:
        return struct.pack("!BBH", TEXT_FINAL, 126, size) + payload
    return struct.pack("!BBQ", TEXT_FINAL, 127, size) + payload


def event_frame(payload: bytes, event_id: bytes = b"") -> bytes:
    return (b"id: " + event_id + b"\n" if event_id else b"") + b"data: " + payload + b"\n\n"
