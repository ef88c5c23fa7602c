"""A connection to streams of RabbitMQ that did not answer is no longer asked."""

import asyncio

import pytest
from rstream.exceptions import StreamDoesNotExist

from followers.brokers import rabbitmq_streams
from followers.brokers.address import address_of
from followers.brokers.broker import Broker
from followers.brokers.rabbitmq_streams import StreamConnection, message_of


@pytest.fixture
def connection() -> StreamConnection:
    """It need not be open to be given up."""
    return StreamConnection(Broker(address_of("rabbitmq://nowhere", {}), "", "", "", None, None, None), "test")


async def test_without_an_answer_the_connection_is_given_up(
    connection: StreamConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscription that the broker makes later would be in the way of every next look."""
    monkeypatch.setattr(rabbitmq_streams, "ANSWER_S", 0.01)
    with pytest.raises(ConnectionError):
        await connection.within(asyncio.Event().wait())
    assert not connection.is_open


@pytest.mark.parametrize(
    "data",
    [b"no message", b"\xff\xfe", b"\0St\xd1\xff", b"\0Su\x71\x7f\xff\xff\xff"],
    ids=["text", "short", "cut", "number"],
)
def test_what_is_no_message_is_read_as_one(data: bytes) -> None:
    """Whoever may write a stream could end its readers by it; the last would be two gigabytes of zeros."""
    message = message_of(data)
    assert message.body == data
    assert message.properties is None
    assert message.application_properties is None


async def test_the_librarys_own_deadline_gives_it_up_too(connection: StreamConnection) -> None:
    async def asked() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await connection.within(asked())
    assert not connection.is_open


async def test_a_refusal_is_an_answer(connection: StreamConnection) -> None:
    async def asked() -> None:
        raise StreamDoesNotExist

    with pytest.raises(StreamDoesNotExist):
        await connection.within(asked())
    assert connection.is_open
