"""What shards that are behind write at once."""

import asyncio

import pytest

from followers.relay import behind as shards_behind
from followers.relay import pages, relayed
from followers.relay.heap import give_back
from followers.relay.message import Batch
from followers.relay.sinks.kafka_writer import KafkaWriter
from tests.followers.relay.running import running
from tests.followers.relay.test_relaying import log_of
from tests.harness.brokers.noida import Noida
from tests.harness.system import ResidentSystem
from tests.ledger.api import Api

pytestmark = pytest.mark.usefixtures("processes")
PAGE, SKUS = 4, 24
SLOW_S = 0.1
LOCATIONS = ("berlin", "hamburg", "paris", "rome")


class Watched:
    """How many events each shard has under way, and how many it had of a page more; how often memory was given back."""

    def __init__(self) -> None:
        self.gave_back = 0
        self.under_way: dict[int, int] = {}
        self.together: list[int] = []

    def begins(self, shard: int, events: int) -> None:
        self.under_way[shard] = events
        if events > PAGE:
            self.together.append(sum(one > PAGE for one in self.under_way.values()))

    def give_back(self) -> None:
        self.gave_back += 1
        give_back()


async def test_one_shard_at_a_time_writes_several_pages_together(
    system: ResidentSystem, kafka: Noida, stream_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So memory does not grow with shards that are behind, nor stays as large when they are behind no more."""
    monkeypatch.setattr(pages, "PAGE", PAGE)
    monkeypatch.setattr(relayed, "PAGE", PAGE)
    watched = Watched()
    write = KafkaWriter.write

    async def noting(self: KafkaWriter, batch: Batch) -> None:
        watched.begins(self._shard, len(batch.messages))
        await asyncio.sleep(SLOW_S)  # so that the shards would meet
        await write(self, batch)
        watched.begins(self._shard, 0)

    monkeypatch.setattr(KafkaWriter, "write", noting)
    monkeypatch.setattr(shards_behind, "give_back", watched.give_back)
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for location in LOCATIONS:
            for number in range(SKUS):
                await api.stock(location, f"S{number}", 1)
        behind = len(await log_of(api))
        async with running(system, f"kafka://{kafka.address}", stream_prefix) as relay:
            await relay.has_written(len(LOCATIONS) * SKUS)
    assert behind > 1, "more than one shard has to be behind"
    assert watched.together, "several pages were never written together, so this shows nothing"
    assert max(watched.together) == 1
    assert watched.gave_back == 1, "for all shards together"
