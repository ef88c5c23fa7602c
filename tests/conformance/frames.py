"""The table of what the hub's stream port makes of frames, good and bad (RFC 6455)."""

import json
from functools import partial

from tests.conformance.rows import GONE, STAYS, Row
from tests.harness.raw_socket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, raw_frame

MESSAGE_BYTES_MAX = 65_536


def request(id_: int, extra: str = "", size: int = 0) -> bytes:
    """A request that the hub answers with ``error`` ``unknown-type`` and this id; ``size``: pad it to so many bytes."""
    bare = json.dumps({"type": "fly", "id": id_, "x": extra}, ensure_ascii=False).encode()
    return bare[:-2] + b"x" * max(0, size - len(bare)) + bare[-2:]


def text(id_: int, extra: str = "", size: int = 0) -> bytes:
    return raw_frame(TEXT, request(id_, extra, size))


def fragments(*parts: bytes, between: bytes = b"", opcode: int = TEXT) -> bytes:
    """One message in as many frames as there are parts; ``between``: a whole frame after each but the last."""
    last = len(parts) - 1
    return b"".join(
        raw_frame(CONTINUATION if number else opcode, part, final=number == last) + (b"" if number == last else between)
        for number, part in enumerate(parts)
    )


def close(code: int, reason: bytes = b"") -> bytes:
    return raw_frame(CLOSE, code.to_bytes(2, "big") + reason)


def _split(payload: bytes, size: int) -> list[bytes]:
    return [payload[start : start + size] for start in range(0, len(payload), size)]


def _bytewise(data: bytes) -> tuple[bytes, ...]:
    return tuple(_split(data, 1))


def _framing() -> list[Row]:
    row = partial(Row, "Framing")
    plain, masks = request(1), "client frames are masked, or the server closes (1002)"
    reserved = "reserved bits are 0 without an extension, or the connection fails"
    unknown = "an unknown opcode fails the connection"
    fewest = "a length is written in the fewest bytes; what the receiver of others does is left open"
    return [
        row("text", (text(1),), "5.6", "text is UTF-8", STAYS, (1,)),
        row("two messages in one segment", (text(1) + text(2),), "5.4", "order is kept", STAYS, (1, 2)),
        row("a message, byte by byte", _bytewise(text(1)), "5.2", "frames do not depend on segments", STAYS, (1,)),
        row("a mask of zeros", (raw_frame(TEXT, plain, mask=bytes(4)),), "5.3", "any 32 bits", STAYS, (1,)),
        row("not masked", (raw_frame(TEXT, plain, masked=False),), "5.1", masks, 1002),
        row("a ping that is not masked", (raw_frame(PING, b"x", masked=False),), "5.1", masks, 1002),
        row("a close that is not masked", (raw_frame(CLOSE, b"\x03\xe8", masked=False),), "5.1", masks, 1002),
        *(
            row(f"reserved bit {bit} in {name}", (raw_frame(opcode, plain, reserved=8 >> bit),), "5.2", reserved, 1002)
            for bit in (1, 2, 3)
            for name, opcode in (("text", TEXT), ("a ping", PING))
        ),
        *(
            row(f"opcode {opcode:#x}", (raw_frame(opcode, b"x"),), "5.2", unknown, 1002)
            for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
        ),
        row(
            "a length in 2 bytes that fits 7 bits",
            (raw_frame(TEXT, plain, length_bytes=2),),
            "5.2",
            fewest,
            STAYS,
            (1,),
        ),
        row(
            "a length in 8 bytes that fits 7 bits",
            (raw_frame(TEXT, plain, length_bytes=8),),
            "5.2",
            fewest,
            STAYS,
            (1,),
        ),
        row("the highest bit of an 8-byte length", (b"\x81\xff" + b"\xff" * 8,), "5.2", "that bit is 0", 4009),
        row("an empty text", (raw_frame(TEXT),), "5.6", "a message may be empty (for protocol v1 it is no JSON)", 4005),
    ]


def _fragmentation() -> list[Row]:
    row = partial(Row, "Fragmentation")
    whole = request(1, "x" * 40)
    parts = _split(whole, 10)
    between = "control frames may stand between fragments"
    no_other = "fragments of two messages do not mix"
    many = [whole[:10], *[b""] * 100, whole[10:]]
    return [
        row("four fragments", (fragments(*parts),), "5.4", "they are one message", STAYS, (1,)),
        row("empty fragments around it", (fragments(b"", whole, b""),), "5.4", "they are one message", STAYS, (1,)),
        row("a hundred empty fragments", (fragments(*many),), "5.4", "they are one message", STAYS, (1,)),
        row("fragments of a byte", (fragments(*_bytewise(request(1))),), "5.4", "they are one message", STAYS, (1,)),
        row(
            "pings between fragments",
            (fragments(*parts, between=raw_frame(PING, b"now")),),
            "5.4",
            between,
            STAYS,
            (1,),
            (b"now",) * (len(parts) - 1),
        ),
        row("pongs between fragments", (fragments(*parts, between=raw_frame(PONG)),), "5.4", between, STAYS, (1,)),
        row("a close between fragments", (raw_frame(TEXT, b"{", final=False) + close(1000),), "5.4", between, 1002),
        row("a continuation of nothing", (raw_frame(CONTINUATION, whole),), "5.4", "it follows a first fragment", 1002),
        row(
            "a continuation of nothing, not final",
            (raw_frame(CONTINUATION, whole, final=False),),
            "5.4",
            "it follows a first fragment",
            1002,
        ),
        row(
            "a continuation after a whole message",
            (fragments(*parts) + raw_frame(CONTINUATION, b"x"),),
            "5.4",
            "it follows a first fragment",
            1002,
        ),
        row("text inside a message", (raw_frame(TEXT, b"{", final=False) + text(1),), "5.4", no_other, 1002),
        row(
            "binary inside a message", (raw_frame(TEXT, b"{", final=False) + raw_frame(BINARY),), "5.4", no_other, 1002
        ),
        row(
            "a first fragment inside a message",
            (raw_frame(TEXT, b"{", final=False) * 2,),
            "5.4",
            no_other,
            1002,
        ),
        row("a message that does not end", (raw_frame(TEXT, b"{", final=False),), "7.1.1", "-", GONE, ends=True),
        row("2,000 empty fragments", (fragments(*[b""] * 2_000),), "10.4", "limits against floods", 4102),
    ]


def _control() -> list[Row]:
    row = partial(Row, "Control frames")
    short, whole = "at most 125 bytes", "control frames are not fragmented"
    echo = "a pong has the payload of its ping"
    return [
        row("ping", (raw_frame(PING),), "5.5.2", echo, STAYS, (), (b"",)),
        row(
            "ping of 125 bytes, not UTF-8",
            (raw_frame(PING, b"\xff" * 125),),
            "5.5.2",
            echo,
            STAYS,
            (),
            (b"\xff" * 125,),
        ),
        row("ping, byte by byte", _bytewise(raw_frame(PING, b"ab")), "5.5.2", echo, STAYS, (), (b"ab",)),
        row(
            "ten pings",
            (b"".join(raw_frame(PING, bytes([number])) for number in range(10)),),
            "5.5.3",
            "each, or only the newest, is answered",
            STAYS,
            (),
            tuple(bytes([number]) for number in range(10)),
        ),
        row("pong that nobody asked for", (raw_frame(PONG, b"x"),), "5.5.3", "it is allowed, and not answered", STAYS),
        row("ping of 126 bytes", (raw_frame(PING, b"x" * 126),), "5.5", short, 1002),
        row("pong of 126 bytes", (raw_frame(PONG, b"x" * 126),), "5.5", short, 1002),
        row("close of 126 bytes", (close(1000, b"x" * 124),), "5.5", short, 1002),
        row("ping, not final", (raw_frame(PING, b"x", final=False),), "5.5", whole, 1002),
        row("pong, not final", (raw_frame(PONG, b"x", final=False),), "5.5", whole, 1002),
        row("close, not final", (raw_frame(CLOSE, b"\x03\xe8", final=False),), "5.5", whole, 1002),
        row("2,000 pings", (raw_frame(PING, b"x") * 2_000,), "10.4", "limits against floods", 4102),
        row("2,000 pongs", (raw_frame(PONG, b"x") * 2_000,), "10.4", "limits against floods", 4102),
    ]


VALID_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)
NEVER_SENT = (1005, 1006, 1015)
WITHOUT_MEANING = (0, 999, 1004, 1016, 1100, 2000, 2999, 5000, 65_535)


def _closing() -> list[Row]:
    row = partial(Row, "Closing")
    echo, body = "a close is answered, typically with its code", "a body begins with a code of 2 bytes"
    never, none = "it is never sent", "nobody may send it, or it has no meaning yet"
    return [
        row("close without a code", (raw_frame(CLOSE),), "5.5.1", "the body may be absent", 1005),
        *(row(f"close {code}", (close(code),), "5.5.1, 7.4", echo, code) for code in VALID_CODES),
        *(row(f"close {code}", (close(code),), "7.4.1", never, 1002) for code in NEVER_SENT),
        *(row(f"close {code}", (close(code),), "7.4.2", none, 1002) for code in WITHOUT_MEANING),
        row("close with a reason of 123 bytes", (close(1000, "é".encode() * 61 + b"."),), "5.5.1", echo, 1000),
        row("close of 1 byte", (raw_frame(CLOSE, b"\x03"),), "5.5.1", body, 1002),
        row("close whose reason is not UTF-8", (close(1000, b"\xff"),), "5.5.1, 8.1", "the reason is UTF-8", 1007),
        row("text after a close", (close(1000) + text(1),), "5.5.1", "nothing follows a close", 1000),
        row("ping after a close", (close(1000) + raw_frame(PING, b"x"),), "5.5.1", "nothing follows a close", 1000),
        row("close after a close", (close(1000) + close(1001),), "5.5.1", "nothing follows a close", 1000),
        row("what is no frame, after a close", (close(1000) + b"\xff" * 20,), "1.4", "what follows is dropped", 1000),
        row(
            "the end of the connection",
            (),
            "7.1.5",
            "1006 is what the other side notes, never a frame",
            GONE,
            ends=True,
        ),
        row("the end inside a frame", (text(1)[:5],), "7.1.5", "as above", GONE, ends=True),
    ]


def _utf8() -> list[Row]:
    row = partial(Row, "UTF-8")
    words = "κόσμε 😀 \u0378 \ufffe \uffff"
    message = request(1, words)
    middle = message.index("😀".encode())
    bad = "what is not UTF-8 fails the connection (1007)"
    wrong = {
        "a continuation byte alone": b"\x80",
        "bytes that are never used": b"\xfe\xff",
        "an overlong slash": b"\xc0\xaf",
        "an overlong NUL in 3 bytes": b"\xe0\x80\x80",
        "an overlong euro sign in 4 bytes": b"\xf0\x82\x82\xac",
        "a surrogate": b"\xed\xa0\x80",
        "a pair of surrogates": b"\xed\xa1\x81\xed\xb0\x80",
        "beyond U+10FFFF": b"\xf4\x90\x80\x80",
        "a sequence of 5 bytes": b"\xf8\x88\x80\x80\x80",
        "a character cut short": b"\xf0\x9f\x98",
    }
    return [
        row("characters of 2, 3 and 4 bytes, noncharacters", (text(1, words),), "8.1", "UTF-8", STAYS, (1,)),
        row(
            "a character cut between fragments",
            (fragments(message[: middle + 2], message[middle + 2 :]),),
            "5.6",
            "a fragment need not be UTF-8, the message is",
            STAYS,
            (1,),
        ),
        row(
            "a character in fragments of a byte, pings between",
            (fragments(message[:middle], *_bytewise(message[middle:]), between=raw_frame(PING, b"x")),),
            "5.4, 5.6",
            "a fragment need not be UTF-8, the message is",
            STAYS,
            (1,),
            (b"x",) * len(message[middle:]),
        ),
        *(row(name, (raw_frame(TEXT, b'{"x":"' + data + b'"}'),), "8.1", bad, 1007) for name, data in wrong.items()),
        row("a message cut inside its last character", (raw_frame(TEXT, message[: middle + 2]),), "8.1", bad, 1007),
        row("an overlong slash over two fragments", (fragments(b'"\xc0', b'\xaf"'),), "8.1", bad, 1007),
        row("a wrong byte in a first fragment", (fragments(b"\xff", b"{}", b""),), "8.1", bad, 1007),
    ]


def _messages() -> list[Row]:
    row = partial(Row, "Messages and their limits")
    most = request(1, size=MESSAGE_BYTES_MAX)
    big = "a receiver may limit messages; 1009 says so (protocol v1: 4009)"
    other = "1003 says that a type is not taken (protocol v1: 4005)"
    return [
        row("binary", (raw_frame(BINARY, request(1)),), "7.4.1", other, 4005),
        row("binary in fragments", (fragments(b"{", b"}", opcode=BINARY),), "7.4.1", other, 4005),
        row(
            "125, 126 and 127 bytes",
            (text(1, size=125) + text(2, size=126) + text(3, size=127),),
            "5.2",
            "7 or 16 bits of length",
            STAYS,
            (1, 2, 3),
        ),
        row("65,535 bytes", (text(1, size=65_535),), "5.2", "16 bits of length", STAYS, (1,)),
        row("65,536 bytes", (raw_frame(TEXT, most),), "5.2", "64 bits of length", STAYS, (1,)),
        row("65,536 bytes in fragments", (fragments(*_split(most, 5_000)),), "5.4", "one message", STAYS, (1,)),
        row(
            "65,536 bytes in fragments, a ping of 125 bytes before the last byte",
            (fragments(most[:-1], most[-1:], between=raw_frame(PING, b"x" * 125)),),
            "5.4",
            "control frames may stand between fragments",
            STAYS,
            (1,),
            (b"x" * 125,),
        ),
        row("65,537 bytes", (text(1, size=MESSAGE_BYTES_MAX + 1),), "10.4", big, 4009),
        row("65,537 bytes in fragments", (fragments(*_split(most + b" ", 5_000)),), "10.4", big, 4009),
        row("a frame of 2^62 bytes, its head alone", (b"\x81\xff" + (2**62).to_bytes(8, "big"),), "10.4", big, 4009),
        row("no JSON", (raw_frame(TEXT, b"hello"),), "-", "nothing (protocol v1: 4005)", 4005),
    ]


ROWS: tuple[Row, ...] = (*_framing(), *_fragmentation(), *_control(), *_closing(), *_utf8(), *_messages())
