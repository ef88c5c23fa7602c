"""A message of AMQP 1.0 as bytes: what a stream of RabbitMQ keeps. Pure.

Its sections are those of AMQP 1.0, part 3 (messaging), 3.2, encoded after part 1, 1.6. The client's own encoder is for
everything that AMQP can say; of that a relay says text and bytes, many thousand times a second.
"""

from collections.abc import Iterable
from functools import cache
from struct import pack

_PROPERTIES, _APPLICATION_PROPERTIES, _DATA = b"\x00\x53\x73", b"\x00\x53\x74", b"\x00\x53\x75"
_NULL, _LONG_STRING, _LONG_SYMBOL = b"\x40", b"\xb1", b"\xb3"
_STRINGS, _SYMBOLS = ([bytes((kind, size)) for size in range(256)] for kind in (0xA1, 0xA3))
"""What begins a short text, by its size in bytes."""
_LIST, _MAP, _BINARY = b"\xd0", b"\xd1", b"\xb0"
_NOTHING_BETWEEN = _NULL * 5
"""``user-id``, ``to``, ``subject``, ``reply-to`` and ``correlation-id``: between the two properties that are set."""
_PROPERTIES_UP_TO_CONTENT_TYPE = 7


def encode(id_: str, content_type: str, properties: bytes, count: int, body: bytes) -> bytes:
    """``properties``: ``count`` of them, of the application: see ``pairs``."""
    named = _string(id_) + _NOTHING_BETWEEN + _symbol(content_type)
    return b"".join(
        (
            _PROPERTIES,
            _compound(_LIST, _PROPERTIES_UP_TO_CONTENT_TYPE, named),
            _APPLICATION_PROPERTIES,
            _compound(_MAP, 2 * count, properties),
            _DATA,
            _BINARY,
            pack(">I", len(body)),
            body,
        )
    )


def pairs(properties: Iterable[tuple[str, str]]) -> bytes:
    """Names, of which there are few, and values."""
    return b"".join([_name(name) + _string(value) for name, value in properties])


def _compound(kind: bytes, count: int, elements: bytes) -> bytes:
    return kind + pack(">II", len(elements) + 4, count) + elements


def _string(text: str) -> bytes:
    encoded = text.encode()
    size = len(encoded)
    return _STRINGS[size] + encoded if size < 256 else _LONG_STRING + pack(">I", size) + encoded


@cache
def _name(text: str) -> bytes:
    return _string(text)


@cache
def _symbol(text: str) -> bytes:
    encoded = text.encode("ascii")
    size = len(encoded)
    return _SYMBOLS[size] + encoded if size < 256 else _LONG_SYMBOL + pack(">I", size) + encoded
