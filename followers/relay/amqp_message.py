"""A message of AMQP 1.0 as bytes: what a stream of RabbitMQ keeps. Pure.

Its sections are those of AMQP 1.0, part 3 (messaging), 3.2, encoded after part 1, 1.6. The client's own encoder is for
everything that AMQP can say; of that a relay says text and bytes, many thousand times a second.
"""

from collections.abc import Mapping
from functools import cache
from struct import Struct

_SECTION = b"\x00\x53"
_LIST, _MAP, _NULL = b"\xd0", b"\xd1", b"\x40"
_PROPERTIES, _APPLICATION_PROPERTIES, _DATA = _SECTION + b"\x73", _SECTION + b"\x74", _SECTION + b"\x75\xb0"
_STRINGS, _SYMBOLS = ([bytes((kind, size)) for size in range(256)] for kind in (0xA1, 0xA3))
"""What begins a short text, by its size in bytes."""
_LONG_STRING = b"\xb1"
_NOTHING_BETWEEN = _NULL * 5
"""``user-id``, ``to``, ``subject``, ``reply-to`` and ``correlation-id``: between the two properties that are set."""
_PROPERTIES_UP_TO_CONTENT_TYPE = 7
_size, _size_and_count = Struct(">I").pack, Struct(">II").pack


def encode(id_: str, content_type: str, properties: bytes, count: int, body: bytes) -> bytes:
    """``properties``: ``count`` of them, of the application: see ``pairs``. ``content_type``: up to 255 characters."""
    named = _string(id_) + _behind_id(content_type)
    return b"".join(
        (
            _PROPERTIES + _LIST,
            _size_and_count(len(named) + 4, _PROPERTIES_UP_TO_CONTENT_TYPE),
            named,
            _APPLICATION_PROPERTIES + _MAP,
            _size_and_count(len(properties) + 4, 2 * count),
            properties,
            _DATA,
            _size(len(body)),
            body,
        )
    )


def pairs(prefix: str, properties: Mapping[str, str]) -> bytes:
    """Names, of which there are few, each behind ``prefix``; and values."""
    parts: list[bytes] = []
    for name, value in properties.items():
        encoded = value.encode()
        size = len(encoded)
        parts += (_name(prefix, name), _STRINGS[size] if size < 256 else _LONG_STRING + _size(size), encoded)
    return b"".join(parts)


def _string(text: str) -> bytes:
    encoded = text.encode()
    size = len(encoded)
    return _STRINGS[size] + encoded if size < 256 else _LONG_STRING + _size(size) + encoded


@cache
def _name(prefix: str, name: str) -> bytes:
    return _string(prefix + name)


@cache
def _behind_id(content_type: str) -> bytes:
    return _NOTHING_BETWEEN + _SYMBOLS[len(content_type)] + content_type.encode("ascii")
