"""RabbitMQ: streams, and a topic exchange with queues of others behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.followers.relay.sinks.conformance import Conformance
from tests.followers.relay.sinks.rabbitmq_place import ExchangePlace, StreamPlace
from tests.harness.brokers.rabbitmq import RabbitMQ, need_rabbitmq


@pytest.fixture(scope="module")
def broker(server_folder: Path, processes: None) -> Iterator[RabbitMQ]:
    """Of this file: it is killed."""
    need_rabbitmq()
    with RabbitMQ(server_folder / "rabbitmq-sink") as broker:
        yield broker


class TestStream(Conformance):
    @pytest.fixture
    def place(self, broker: RabbitMQ, stream_prefix: str) -> StreamPlace:
        return StreamPlace(broker, stream_prefix)


class TestExchange(Conformance):
    @pytest.fixture
    async def place(self, broker: RabbitMQ, stream_prefix: str) -> ExchangePlace:
        place = ExchangePlace(broker, stream_prefix)
        await place.bind()
        return place
