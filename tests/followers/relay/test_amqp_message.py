import pytest
from rstream.amqp import amqp_decoder

from followers.relay.amqp_message import encode, pairs


@pytest.mark.parametrize("size", [0, 1, 255, 256, 70_000])
def test_another_implementation_reads_what_was_encoded(size: int) -> None:
    name = "größe" * 60
    properties = pairs("cloudEvents:", {"subject": name, "a": ""})
    message = amqp_decoder(encode("e1.0.7", "application/json", properties, 2, b"x" * size))
    assert message.properties is not None
    assert (message.properties.message_id, message.properties.content_type) == (b"e1.0.7", b"application/json")
    assert message.application_properties == {b"cloudEvents:subject": name.encode(), b"cloudEvents:a": b""}
    assert bytes(message.body or b"") == b"x" * size
