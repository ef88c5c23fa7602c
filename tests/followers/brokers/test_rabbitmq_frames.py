"""Properties of a message that the library of RabbitMQ cannot read, or not hand on."""

from typing import Any

import pytest
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from followers.brokers.rabbitmq_frames import UNREADABLE, readable

END = b"\xce"


def frame(headers: Any = None, **properties: Any) -> bytes:
    said = Basic.Properties(headers=headers)
    for name, value in properties.items():
        setattr(said, name, value)  # which it would refuse to begin with
    return ContentHeader(0, 3, said).marshal() + END


def content_type(read: bytes) -> object:
    assert read.endswith(END)
    header = ContentHeader()
    header.unmarshal(read[: -len(END)])
    return header.properties.content_type


@pytest.mark.parametrize("good", [{}, {"delivery_mode": 2, "expiration": "60000"}, {"content_type": "text/plain"}])
def test_what_can_be_read_is_as_it_was(good: dict[str, Any]) -> None:
    assert readable(frame(**good)) == frame(**good)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"headers": {"a": "b"}, "delivery_mode": 5}, UNREADABLE),
        ({"expiration": "soon"}, UNREADABLE),
        ({"delivery_mode": 5}, None),
    ],
    ids=["mode", "expiration", "no room"],
)
def test_what_could_not_be_handed_on_is_unreadable_and_as_long(bad: dict[str, Any], said: str | None) -> None:
    read = readable(frame(**bad))
    assert len(read) == len(frame(**bad))
    assert content_type(read) == said
