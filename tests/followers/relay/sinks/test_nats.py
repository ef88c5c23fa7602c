"""NATS JetStream, with atomic batches and without."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from nats.js.api import RetentionPolicy, StorageType, StreamConfig

from followers.relay.sink import SinkRefused
from tests.followers.relay.sinks.conformance import SHARDS, Conformance
from tests.followers.relay.sinks.nats_place import NatsPlace
from tests.harness.brokers.nats_server import NatsServer


@pytest.fixture(scope="module")
def broker(server_folder: Path, processes: None) -> Iterator[NatsServer]:
    """Of this file: it is killed."""
    with NatsServer(server_folder / "nats-sink") as broker:
        yield broker


class TestAtomic(Conformance):
    @pytest.fixture
    def place(self, broker: NatsServer, stream_prefix: str) -> NatsPlace:
        return NatsPlace(broker, stream_prefix)


class TestOneByOne(Conformance):
    """Streams that somebody made without atomic batches, or that a server before 2.12 made."""

    @pytest.fixture
    async def place(self, broker: NatsServer, stream_prefix: str, request: pytest.FixtureRequest) -> NatsPlace:
        place = NatsPlace(broker, stream_prefix)
        if "refused" not in request.node.name:
            for shard in range(SHARDS):
                await place.make(shard, StreamConfig(subjects=[f"{stream_prefix}.{shard}.>"]))
        return place


LOSSES = {
    "has the subjects": StreamConfig(subjects=["{prefix}.0.>", "{prefix}.beside"]),
    "has the retention": StreamConfig(retention=RetentionPolicy.INTEREST),
    "is kept in memory": StreamConfig(storage=StorageType.MEMORY),
    "acknowledges nothing": StreamConfig(no_ack=True),
    "keeps 1 messages per subject": StreamConfig(max_msgs_per_subject=1),
}


@pytest.mark.parametrize("what", LOSSES)
async def test_a_stream_that_would_lose_something_is_refused(broker: NatsServer, stream_prefix: str, what: str) -> None:
    config = LOSSES[what]
    subjects = [one.format(prefix=stream_prefix) for one in config.subjects or ["{prefix}.0.>"]]
    place = NatsPlace(broker, stream_prefix)
    await place.make(0, replace(config, subjects=subjects, storage=config.storage or StorageType.FILE))
    async with place.sink() as sink:
        with pytest.raises(SinkRefused, match=f"the stream {stream_prefix}-0 {what}.*: nats stream "):
            await sink.prepare(SHARDS)


async def test_a_wrong_password_is_said(server_folder: Path, stream_prefix: str, processes: None) -> None:
    users = "authorization { user: relay, password: right }"
    with NatsServer(server_folder / "nats-users", users) as broker:
        place = NatsPlace(broker, stream_prefix)
        async with place.sink(user="relay", password="wrong") as sink:
            with pytest.raises(SinkRefused, match="STOCKWIRE_BROKER_USER"):
                await sink.prepare(SHARDS)
        async with place.sink(user="relay", password="right") as sink:
            await sink.prepare(SHARDS)
