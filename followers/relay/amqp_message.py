"""A message of AMQP 1.0 as bytes: what a stream of RabbitMQ keeps. Pure.

Its sections are those of AMQP 1.0, part 3 (messaging), 3.2, encoded after part 1, 1.6. The client's own encoder is for
everything that AMQP can say; of that a relay says text and bytes, many thousand times a second.
"""

from collections.abc import Mapping
from struct import pack

_PROPERTIES, _APPLICATION_PROPERTIES, _DATA = b"\x00\x53\x73", b"\x00\x53\x74", b"\x00\x53\x75"
_NULL, _STRING, _LONG_STRING, _SYMBOL, _LONG_SYMBOL = b"\x40", b"\xa1", b"\xb1", b"\xa3", b"\xb3"
_LIST, _MAP, _BINARY = b"\xd0", b"\xd1", b"\xb0"
_NOTHING_BETWEEN = _NULL * 5
"""``user-id``, ``to``, ``subject``, ``reply-to`` and ``correlation-id``: between the two properties that are set."""
_PROPERTIES_UP_TO_CONTENT_TYPE = 7


def encode(id_: str, content_type: str, properties: Mapping[str, str], body: bytes) -> bytes:
    """``properties``: those of the application."""
    named = _string(id_) + _NOTHING_BETWEEN + _symbol(content_type)
    pairs = b"".join([_string(name) + _string(value) for name, value in properties.items()])
    return b"".join(
        (
            _PROPERTIES,
            _compound(_LIST, _PROPERTIES_UP_TO_CONTENT_TYPE, named),
            _APPLICATION_PROPERTIES,
            _compound(_MAP, 2 * len(properties), pairs),
            _DATA,
            _BINARY,
            pack(">I", len(body)),
            body,
        )
    )


def _compound(kind: bytes, count: int, elements: bytes) -> bytes:
    return kind + pack(">II", len(elements) + 4, count) + elements


def _string(text: str) -> bytes:
    return _sized(_STRING, _LONG_STRING, text.encode())


def _symbol(text: str) -> bytes:
    return _sized(_SYMBOL, _LONG_SYMBOL, text.encode("ascii"))


def _sized(short: bytes, long: bytes, encoded: bytes) -> bytes:
    size = len(encoded)
    return short + bytes((size,)) + encoded if size < 256 else long + pack(">I", size) + encoded
