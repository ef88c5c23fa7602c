"""A sink that keeps less in its time than a relay would write at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from followers.relay import pages, relayed
from followers.relay.message import Batch
from followers.relay.settings import Settings
from followers.relay.sink import SinkAway
from followers.relay.sinks.nats import NatsSink, NatsWriter
from ledger import migrations
from tests.followers.relay import running as running_relay
from tests.followers.relay.running import running
from tests.followers.relay.sinks.nats_place import NatsPlace
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.system import ResidentSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api
from wire.envelope import COMPLETE

pytestmark = pytest.mark.usefixtures("processes")
PAGE, SKUS = 16, 12


class Slow(NatsSink):
    """Gives up what is more than ``most`` messages."""

    def __init__(self, settings: Settings, most: int) -> None:
        super().__init__(settings.broker, settings.prefix, structured=False)
        self.most = most
        self.given_up = 0

    @asynccontextmanager
    async def writer(self, shard: int) -> AsyncIterator["SlowWriter"]:
        yield SlowWriter(self, shard)


class SlowWriter(NatsWriter):
    def __init__(self, slow: Slow, shard: int) -> None:
        super().__init__(slow, shard)
        self._slow = slow

    async def write(self, batch: Batch) -> None:
        if len(batch.messages) > self._slow.most:
            self._slow.given_up += 1
            raise SinkAway("not confirmed in time")
        await super().write(batch)


async def test_a_page_that_is_never_kept_in_time_is_written_again_without_end(
    system: ResidentSystem, nats: NatsServer, stream_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the log, and of another history's levels."""
    monkeypatch.setattr(pages, "PAGE", PAGE)
    for name, value in (("PAGE", PAGE), ("LEVELS_PAGE", PAGE), ("SINK_AGAIN_S", 0.01), ("LOOK_S", 0.1)):
        monkeypatch.setattr(relayed, name, value)
    sinks: list[Slow] = []

    def slow(settings: Settings) -> Slow:
        sinks.append(Slow(settings, most=3))
        return sinks[0]

    monkeypatch.setattr(running_relay, "sink_of", slow)
    place = NatsPlace(nats, stream_prefix)
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for number in range(SKUS):
            await api.stock("berlin", f"S{number}", 100)
        shards = (await api.get("/v1/shards")).json()["shards"]
        shard = next(one["shard"] for one in shards if one["head"])
        log = (await api.get(f"/v1/events?shard={shard}")).json()["events"]
        async with running(system, nats.url, stream_prefix) as relay:
            await relay.has_written(SKUS)
            assert [orjson.loads(one.data) for one in await place.read(shard)] == log
            (sink,) = sinks
            assert 3 <= sink.given_up <= 6, "16, 8 and 4 are too many, and few of those that grow again"
            sink.most = 1
            await migrations.new_epoch(system.database_url)

            async def told_anew() -> bool:
                return (await place.read(shard))[-1].attributes["type"] == COMPLETE

            await wait_until(told_anew, what="another history is told to its end")
