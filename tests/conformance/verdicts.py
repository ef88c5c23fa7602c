"""What a stream of frames should come to: wsproto's judgement of the same bytes, and where the hub may differ from it.

wsproto knows nothing of protocol v1, so what the hub does with whole messages is added: JSON objects are answered,
everything else closes 4005, text that is not UTF-8 closes 1007.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Message, TextMessage

from hub.limits import Limits
from tests.conformance.frames import MESSAGE_BYTES_MAX
from tests.conformance.hub import PROBE
from tests.conformance.rows import GONE, STAYS
from tests.harness.raw_socket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, masked_with, raw_frame

NOT_UTF8, NO_JSON_OBJECT, TOO_BIG, TOO_MANY, WRONG_FRAME = 1007, 4005, 4009, 4102, 1002
NO_CODE, BAD_GATEWAY = 1005, 1014
CONTROL_BYTES_MAX = 125
FRAMES_MAX = Limits().messages_burst
Utf8 = codecs.getincrementaldecoder("utf-8")
DATA = (CONTINUATION, TEXT, BINARY)
OPCODES = (*DATA, CLOSE, PING, PONG)

DIFFERENCES = {
    "length": "a length in more bytes than it needs: RFC 6455, 5.2, binds who sends it; the hub reads what it says",
    "limit": "a message over the limit, or the highest bit of a length: wsproto has no limit, the hub closes 4009",
    "rate": "more frames at once than a hub takes, as one payload may read: wsproto has no limit, the hub closes 4102",
    "two bytes": "no mask or an unknown opcode: wsproto may wait for the length, the hub closes 1002 at once",
    "whole frame": "wsproto judges a head before its payload is there, the hub most of it when the frame is complete",
    "whole text": "wsproto decodes as bytes come in, the hub a whole message, after the frames that came with it",
    "close inside": "a close between the fragments of a message: wsproto takes it, the hub closes 1002",
    "reason first": "a close with a wrong code and a reason that is not UTF-8: wsproto says 1002, the hub 1007",
    "code 1014": "Bad Gateway, registered since: the hub takes it, wsproto does not",
}
"""Every difference that is allowed, by name."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``frames``: the close code that the frames end in; ``messages``: the one of the first message that is not taken.

    Both None: the connection stays; ``probed`` if PROBE was reached, else something is incomplete.
    """

    frames: int | None = None
    messages: int | None = None
    probed: bool = False

    def allows(self, *, ended: bool) -> set[int | None]:
        """What the hub may do. If both end it, frames parsed together with the message may be judged before it is.

        ``ended``: the sender hangs up at the end, perhaps before the hub has looked at the last message.
        """
        codes: set[int | None] = {code for code in (self.frames, self.messages) if code is not None}
        if ended and self.frames is None:
            codes.add(GONE)
        return codes or {STAYS if self.probed else GONE}


def by_wsproto(data: bytes, texts: list[bool] | None = None) -> Verdict:
    """``texts``: for each message whether it is text, where the opcode in ``data`` does not say so."""
    connection = Connection(ConnectionType.SERVER)
    connection.receive_data(data)
    parts: list[bytes] = []
    messages: int | None = None
    probed, number = False, 0
    for event in connection.events():
        if isinstance(event, CloseConnection):
            return Verdict(int(event.code), messages)
        if not isinstance(event, Message):
            continue
        parts.append(event.data.encode() if isinstance(event, TextMessage) else bytes(event.data))
        if event.message_finished:
            whole, parts = b"".join(parts), []
            is_text = isinstance(event, TextMessage) if texts is None else texts[number]
            number += 1
            probed = probed or whole == PROBE
            messages = messages or _message_code(whole, is_text)
    return Verdict(None, messages, probed)


def _message_code(payload: bytes, is_text: bool) -> int | None:
    if not is_text:
        return NO_JSON_OBJECT
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    try:
        return None if isinstance(msgspec.json.decode(text), dict) else NO_JSON_OBJECT
    except (msgspec.DecodeError, RecursionError):
        return NO_JSON_OBJECT


@dataclass(slots=True)
class Reading:
    """The bytes as the hub reads them, for wsproto to judge again; ``used``: the differences that this made."""

    data: bytes = b""
    texts: list[bool] = field(default_factory=list)
    forced: int | None = None
    used: set[str] = field(default_factory=set)

    def verdict(self) -> Verdict:
        found = by_wsproto(self.data, self.texts)
        return Verdict(self.forced, found.messages) if found.frames is None and self.forced else found


def by_hub(data: bytes) -> Reading:
    """Frame by frame; the first that ends the connection is the last that is looked at."""
    reading = Reading()
    held: int | None = None
    decoder: codecs.IncrementalDecoder | None = None
    for number, frame in enumerate(scanned(data)):
        if number == FRAMES_MAX:
            return _forced(reading, TOO_MANY, "rate")
        if not frame.masked or frame.opcode not in OPCODES:
            return _forced(reading, WRONG_FRAME, None if frame.complete else "two bytes")
        if frame.length > MESSAGE_BYTES_MAX + CONTROL_BYTES_MAX - (held or 0):
            return _forced(reading, TOO_BIG, "limit")
        if not frame.complete:
            reading.used.add("whole frame")
            return reading
        if frame.opcode in DATA:
            size = (held or 0) + frame.length
            if not frame.reserved and size > MESSAGE_BYTES_MAX:
                return _forced(reading, TOO_BIG, "limit")
            held = None if frame.final else size
        if frame.opcode in (TEXT, BINARY):
            reading.texts.append(frame.opcode == TEXT)
            decoder = Utf8() if frame.opcode == TEXT else None
        if decoder is not None and frame.opcode in DATA and not _decodes(decoder, frame):
            reading.used.add("whole text")
        if frame.opcode == CLOSE and frame.is_sound and (end := _close_of(frame.payload, held is not None)):
            return _forced(reading, *end)
        reading.data += frame.rewritten(reading.used)
    return reading


def _forced(reading: Reading, code: int, why: str | None) -> Reading:
    reading.forced = code
    if why:
        reading.used.add(why)
    return reading


def _decodes(decoder: codecs.IncrementalDecoder, frame: "Scanned") -> bool:
    try:
        decoder.decode(frame.payload, frame.final)
    except UnicodeDecodeError:
        return False
    return True


def _close_of(payload: bytes, inside: bool) -> tuple[int, str] | None:
    """Where the hub judges the body of a close otherwise than wsproto: the code, and the name of the difference."""
    code, reason = int.from_bytes(payload[:2], "big"), payload[2:]
    try:
        reason.decode()
    except UnicodeDecodeError:
        return NOT_UTF8, "reason first"
    good = code == BAD_GATEWAY or by_wsproto(raw_frame(CLOSE, payload)).frames == (code if payload else NO_CODE)
    if inside and good:
        return WRONG_FRAME, "close inside"
    return (code, "code 1014") if code == BAD_GATEWAY else None


@dataclass(frozen=True, slots=True)
class Scanned:
    """A frame as it stands in the bytes; ``payload`` unmasked, as much of it as there is."""

    final: bool
    reserved: int
    opcode: int
    masked: bool
    length: int
    length_bytes: int
    payload: bytes
    complete: bool
    raw: bytes

    @property
    def is_sound(self) -> bool:
        """As a control frame: nothing about it is wrong but perhaps its payload."""
        return self.final and self.masked and self.complete and not self.reserved and self.length <= CONTROL_BYTES_MAX

    def rewritten(self, used: set[str]) -> bytes:
        """In the fewest bytes, and with text as binary, which wsproto does not decode."""
        fewest = 0 if self.length < 126 else 2 if self.length < 65_536 else 8
        if self.length_bytes != fewest:
            used.add("length")
        opcode = BINARY if self.opcode == TEXT else self.opcode
        return raw_frame(opcode, self.payload, final=self.final, reserved=self.reserved, mask=bytes(4))


def scanned(data: bytes) -> Iterator[Scanned]:
    """Raw bytes that are too short for a head end the scan: nobody can judge them."""
    while len(data) >= 2:
        short = data[1] & 0x7F
        width = {126: 2, 127: 8}.get(short, 0)
        masked = bool(data[1] & 0x80)
        head = 2 + width + (4 if masked else 0)
        known = len(data) >= 2 + width
        length = int.from_bytes(data[2 : 2 + width], "big") if width and known else short if not width else 0
        mask = data[head - 4 : head] if masked else bytes(4)
        body = data[head : head + length]
        payload = masked_with(mask, body) if len(data) >= head else b""
        complete = known and len(data) >= head + length
        raw = data[: head + length] if complete else data
        yield Scanned(
            bool(data[0] & 0x80), data[0] >> 4 & 7, data[0] & 15, masked, length, width, payload, complete, raw
        )
        data = data[len(raw) :]


def with_coda(data: bytes) -> tuple[bytes, bool]:
    """The stream, and behind it what shows whether the connection stands: PROBE, after the end of an open message.

    Returns False if something is incomplete and only hanging up tells.
    """
    probe = raw_frame(TEXT, PROBE, mask=bytes(4))
    for coda in (probe, raw_frame(CONTINUATION, mask=bytes(4)) + probe):
        if by_hub(data + coda).verdict().probed:
            return data + coda, True
    verdict = by_hub(data).verdict()
    return data, verdict.frames is not None
