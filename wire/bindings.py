"""How a CloudEvent goes into a message of each broker: headers and body.

Kafka and AMQP after their protocol bindings 1.0.2, NATS after 1.0.3 (1.0.2 knows no headers of NATS). ``binary``: the
attributes stand in headers, the body is the data; ``structured``: both stand in the body, as JSON (JSON event format
1.0.2): ``wire.envelope.structured``. What a reader does with it: ``stockwire.streams``.
"""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

from wire.envelope import STRUCTURED_CONTENT_TYPE, Common

KAFKA_PREFIX = "ce_"
NATS_PREFIX = "ce-"
AMQP_PREFIX = "cloudEvents:"
COMMONS_MAX = 256
"""Kinds of messages whose common headers are kept rendered."""
_PRINTABLE = "".join(character for character in map(chr, range(0x21, 0x7F)) if character not in '"%')
"""What stands in a header of NATS as it is; anything else is percent-encoded."""


def kafka_headers(attributes: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """Binary. Values are UTF-8."""
    return [
        ("content-type" if name == "datacontenttype" else KAFKA_PREFIX + name, value.encode())
        for name, value in attributes.items()
    ]


def nats_headers(attributes: Mapping[str, str]) -> dict[str, str]:
    """Binary. Values are printable ASCII: whatever else stands in a name is percent-encoded."""
    return {NATS_PREFIX + name: value for name, value in _printable(attributes).items()}


def nats_lines(attributes: Mapping[str, str]) -> str:
    """``nats_headers`` as they stand in a message."""
    return "".join([f"{NATS_PREFIX}{name}: {value}\r\n" for name, value in _printable(attributes).items()])


def _printable(attributes: Mapping[str, str]) -> Mapping[str, str]:
    text = "".join(attributes.values())
    if text.isascii() and text.isprintable() and not (" " in text or '"' in text or "%" in text):
        return attributes  # as nearly all are: looking is ten times as fast as encoding
    return {name: quote(value, safe=_PRINTABLE) for name, value in attributes.items()}


def amqp_properties(attributes: Mapping[str, str]) -> dict[str, str]:
    """Binary: application properties of AMQP 1.0, headers of 0-9-1. The content type goes into the property of that
    name which every message has: ``wire.envelope.CONTENT_TYPE``."""
    return {AMQP_PREFIX + name: value for name, value in attributes.items() if name != "datacontenttype"}


@lru_cache(COMMONS_MAX)
def kafka_common(common: Common) -> list[tuple[str, bytes]]:
    """To be added to others, never changed."""
    return kafka_headers(common.attributes)


@lru_cache(COMMONS_MAX)
def nats_common(common: Common) -> str:
    return nats_lines(common.attributes)


# The headers of a message whose body is structured; AMQP has a property of that name instead.
KAFKA_STRUCTURED = [("content-type", STRUCTURED_CONTENT_TYPE.encode())]
NATS_STRUCTURED = {"Content-Type": STRUCTURED_CONTENT_TYPE}
