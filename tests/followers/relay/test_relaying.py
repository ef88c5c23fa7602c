"""A relay between a ledger and a broker: everything once, in order, whoever of them goes away meanwhile."""

import asyncio
from functools import partial
from typing import Any

import orjson
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from followers.relay import relayed, standing_by
from followers.relay.progress import State
from ledger import migrations
from tests.followers.relay.batches import logged, planning, sales
from tests.followers.relay.running import Running, running
from tests.followers.relay.sinks.kafka_place import sink_at
from tests.followers.relay.sinks.kafka_reading import Read, read
from tests.harness.brokers.noida import Noida
from tests.harness.metrics import described_metrics, exported_metrics
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api, sale

pytestmark = pytest.mark.usefixtures("processes")


@pytest.fixture(autouse=True)
def _takes_over_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing_by, "TAKEOVER_S", 0.5)
    monkeypatch.setattr(relayed, "LOOK_S", 0.1)


class Topics:
    def __init__(self, address: str, prefix: str) -> None:
        self.address = address
        self.to = f"kafka://{address}"
        self.prefix = prefix

    async def read(self, name: str) -> list[Read]:
        return await asyncio.to_thread(read, self.address, f"{self.prefix}.{name}")

    async def changes(self) -> dict[int, list[dict[str, Any]]]:
        """Data of the changes by shard, as they stand there."""
        found: dict[int, list[dict[str, Any]]] = {}
        for one in await self.read("events"):
            if one.headers["ce_type"].startswith("stockwire.stock."):
                found.setdefault(one.partition, []).append(orjson.loads(one.value))
        return found

    async def newest_levels(self) -> dict[str, tuple[int, int]]:
        """Version and units on hand, by key: what compaction would leave."""
        levels = {one.key: orjson.loads(one.value) for one in await self.read("levels")}
        return {key: (level["version"], level["on_hand"]) for key, level in levels.items() if "version" in level}


@pytest.fixture
def topics(kafka: Noida, stream_prefix: str) -> Topics:
    return Topics(kafka.address, stream_prefix)


async def log_of(api: Api) -> dict[int, list[dict[str, Any]]]:
    """The whole log, by shard, where there is any."""
    shards = (await api.get("/v1/shards")).json()["shards"]
    return {
        one["shard"]: (await api.get(f"/v1/events?shard={one['shard']}&limit=1000")).json()["events"]
        for one in shards
        if one["head"]
    }


async def sell(api: Api, times: int) -> None:
    for number in range(times):
        await api.move(sale(("berlin", "hamburg")[number % 2], "A"))


async def test_what_was_sold_before_and_since_stands_there_once_and_in_order(
    system: ResidentSystem, topics: Topics
) -> None:
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for location in ("berlin", "hamburg"):
            await api.stock(location, "A", 100)
        await sell(api, 6)
        async with running(system, topics.to, topics.prefix) as relay:
            await relay.has_written(8)
            await sell(api, 4)
            await relay.has_written(12)
            await relay.is_ready()
            metrics = await relay.metrics()
            text = (await relay.get("/metrics")).text
        assert await topics.changes() == await log_of(api)
        assert await topics.newest_levels() == {"berlin/A": (6, 95), "hamburg/A": (6, 95)}
    sink, shards = f'sink="kafka://{topics.prefix}"', range(4)
    assert [metrics[f'stockwire_relay_behind_events{{shard="{shard}",{sink}}}'] for shard in shards] == [0] * 4
    assert [metrics[f'stockwire_relay_writes{{shard="{shard}",{sink}}}'] for shard in shards] == [1] * 4
    assert metrics[f"stockwire_relay_sink_up{{{sink}}}"] == metrics["stockwire_relay_feed_up"] == 1
    assert described_metrics("Relay") == exported_metrics(text)


async def test_levels_that_a_broker_does_not_show_are_told_anew_and_no_event_twice(
    system: ResidentSystem, topics: Topics
) -> None:
    """Of a page whose events can be read and whose levels cannot: see decision 51."""
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for sku in "AB":
            await api.stock("berlin", sku, 100)
        async with running(system, topics.to, topics.prefix) as relay:
            await relay.has_written(2)
        await api.move(sale("berlin", "B"))
        ((shard, log),) = (await log_of(api)).items()
        epoch = (await api.get("/v1/shards")).json()["epoch"]
        async with sink_at(topics.address, topics.prefix) as sink, sink.writer(shard) as writer:
            await writer.claim(epoch)
            page = planning(epoch, shard).changes(logged(log[2:]), 0)
            await writer.write(page._replace(levels=[]))
        assert (await topics.newest_levels())["berlin/B"] == (1, 100)
        await api.move(sale("berlin", "A"))
        async with running(system, topics.to, topics.prefix) as relay:
            await relay.has_written(4)
        assert await topics.changes() == await log_of(api)
        assert await topics.newest_levels() == {"berlin/A": (2, 99), "berlin/B": (2, 99)}


async def test_of_two_relays_one_writes_and_the_other_goes_on_where_it_ended(
    system: ResidentSystem, topics: Topics
) -> None:
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for location in ("berlin", "hamburg"):
            await api.stock(location, "A", 100)
        async with running(system, topics.to, topics.prefix) as other:
            async with running(system, topics.to, topics.prefix) as one:
                for relay in (one, other):
                    await relay.has_written(2)
                await sell(api, 10)
                for relay in (one, other):
                    await relay.has_written(12)
            await sell(api, 10)
            await other.has_written(22)
            await other.is_ready()
        async with running(system, topics.to, topics.prefix) as again:
            await sell(api, 2)
            await again.has_written(24)
        assert await topics.changes() == await log_of(api)


async def test_of_another_history_all_levels_are_told_anew(
    system: ResidentSystem, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relayed, "LEVELS_PAGE", 1)
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for sku in ("A", "B"):
            await api.stock("berlin", sku, 100)
        async with running(system, topics.to, topics.prefix) as relay:
            await relay.has_written(2)
            before = (await api.get("/v1/shards")).json()["epoch"]
            await migrations.new_epoch(system.database_url)

            async def told() -> bool:
                return sum(one.rewritten for one in relay.progress.values()) == 1

            await wait_until(told)
            await sell(api, 2)
            await relay.has_written(3)
        events = [one for one in await topics.read("events") if one.id.startswith(before)]
        told_of = [one for one in await topics.read("checkpoints") if not one.key.endswith(" claim")]
        await wait_until(told)
    records = [orjson.loads(one.value) for one in told_of]
    assert len(events) == 2
    assert [one["told"] for one in records if not one["complete"]] == [0, 1, 2], "each page at once"


async def is_away(relay: Running) -> bool:
    return "the ledger" in str(await relay.why_not_ready())


async def test_a_ledger_that_goes_away_is_waited_for(system: ResidentSystem, topics: Topics) -> None:
    ledger = await system.start_ledger()
    key = await system.admin_key()
    async with running(system, topics.to, topics.prefix) as relay:
        async with Api(ledger.url, key) as api:
            await api.stock("berlin", "A", 100)
            await relay.has_written(1)
        await ledger.stop()

        await wait_until(partial(is_away, relay))
        assert (await relay.metrics())["stockwire_relay_feed_up"] == 0
        async with running(system, topics.to, topics.prefix) as another:
            await wait_until(partial(is_away, another))
            assert not [name for name in await another.metrics() if "sink_up" in name], "nobody has tried it"
        await ledger.restart()
        async with Api(ledger.url, key) as api:
            await api.move(sale("berlin", "A"))
            await relay.has_written(2)
            await relay.is_ready()
            assert await topics.changes() == await log_of(api)


async def test_a_message_that_is_too_large_stops_its_shard_and_no_other(system: ResidentSystem, topics: Topics) -> None:
    admin = AdminClient({"bootstrap.servers": topics.address})
    small = NewTopic(f"{topics.prefix}.events", num_partitions=4, config={"max.message.bytes": "1000"})
    await asyncio.to_thread(admin.create_topics([small])[small.topic].result, PATIENCE_S)
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for location in ("berlin", "hamburg"):
            await api.stock(location, "A", 100)
        async with running(system, topics.to, topics.prefix) as relay:
            await relay.has_written(2)
            assert (await api.move(sale("berlin", "A", reason="x" * 200, reference="y" * 200))).is_success
            await api.move(sale("hamburg", "A"))

            async def stopped() -> bool:
                states = {one.state for one in relay.progress.values()}
                return State.STOPPED in states and State.STARTING not in states

            await wait_until(stopped)
            await relay.has_written(3)
            why = str(await relay.why_not_ready())
            metrics = await relay.metrics()
            troubles = (await relay.get("/troubles")).json()["troubles"]
    assert "and 1,000 are the most (max.message.bytes of the topic)" in why
    assert why in troubles[0]["detail"]
    assert troubles[0]["fix"] == "see docs/how-to/kafka.md"
    assert sum(value for name, value in metrics.items() if name.startswith("stockwire_relay_stopped{")) == 1


async def test_topics_that_are_gone_are_made_again_at_once(
    system: ResidentSystem, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it looks, too, when a broker has just started and does not know yet which it has. Whoever stands by sees it
    first."""
    monkeypatch.setattr(relayed, "STOPPED_S", 10 * PATIENCE_S)
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 9)
        log = await log_of(api)
        async with running(system, topics.to, topics.prefix) as writing:
            await writing.has_written(1)
            async with running(system, topics.to, topics.prefix) as standing:
                await standing.is_ready()
                admin = AdminClient({"bootstrap.servers": topics.address})
                gone = [f"{topics.prefix}.{name}" for name in ("events", "levels", "checkpoints")]
                for answer in admin.delete_topics(gone).values():
                    await asyncio.to_thread(answer.result, PATIENCE_S)

                async def all_again() -> bool:
                    return await topics.changes() == log

                await wait_until(all_again, what="the whole log", swallow=KeyError)


async def test_what_an_older_database_does_not_have_is_told_again_as_something_else(
    system: ResidentSystem, topics: Topics
) -> None:
    """It was restored, and nobody has begun a new epoch: the same ids would mean other events."""
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 100)
        answer = (await api.get("/v1/shards")).json()
        epoch, shard = answer["epoch"], next(one["shard"] for one in answer["shards"] if one["head"])
        async with sink_at(topics.address, topics.prefix) as sink:
            await sink.prepare(len(answer["shards"]))
            async with sink.writer(shard) as writer:
                await writer.claim(epoch)
                await writer.write(sales(1, 7, shard=shard, epoch=epoch))
        stands = await topics.changes()
        async with running(system, topics.to, topics.prefix) as relay:
            await sell(api, 3)

            async def stopped() -> bool:
                return relay.progress[shard].state is State.STOPPED if relay.progress else False

            await wait_until(stopped)
            assert f"shard {shard}: the sink has events up to 7, and the log" in str(await relay.why_not_ready())
        assert await topics.changes() == stands
