"""What docs/how-to/consume-changes.md prints holds what the ledger holds, through kill -9s, repeats and a restore."""

import random
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from redis.asyncio import Redis

from followers.relay.message import Batch
from followers.relay.planning import Planning
from stockwire import AsyncClient
from tests.client.told import SKUS, SOURCE, History
from tests.docs.consumers import Consumer, Levels, cached_levels, program_settings, tabled
from tests.followers.relay.batches import logged
from tests.followers.relay.running import running
from tests.harness.brokers.noida import Noida
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.wire.streams.attributes import level_of
from wire.bindings import kafka_headers

pytestmark = pytest.mark.usefixtures("processes")
SHARDS = 2


class Topics:
    """What a relay fills, without the relay: batches as it plans them, some of them twice."""

    def __init__(self, address: str, prefix: str, shards: int) -> None:
        self._prefix = prefix
        self._producer = Producer({"bootstrap.servers": address, "allow.auto.create.topics": False})
        admin = AdminClient({"bootstrap.servers": address})
        topics = [NewTopic(f"{prefix}.{name}", shards, 1) for name in ("events", "levels")]
        for made in admin.create_topics(topics).values():
            made.result(PATIENCE_S)

    def write(self, shard: int, batch: Batch) -> None:
        for name, messages in (("events", batch.messages), ("levels", batch.levels)):
            for message in messages:
                self._producer.produce(
                    f"{self._prefix}.{name}",
                    message.data,
                    message.key,
                    shard,
                    headers=[*kafka_headers(message.attributes)],
                )
        assert self._producer.flush(PATIENCE_S) == 0


@pytest.fixture
def topics(kafka: Noida, stream_prefix: str) -> Topics:
    return Topics(kafka.address, stream_prefix, SHARDS)


@pytest.fixture
async def cache(redis_url: str) -> AsyncIterator[Redis]:
    """The run's Valkey; it has one database, so what the program left there is taken away."""
    async with Redis.from_url(redis_url, decode_responses=True) as cache:
        yield cache
        if keys := [key async for key in cache.scan_iter("stock[-:]*")]:
            await cache.delete(*keys)


@pytest.fixture
async def database(empty_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(empty_database_url, timeout=PATIENCE_S)
    yield connection
    await connection.close(timeout=PATIENCE_S)


@pytest.fixture
def consumers(
    kafka: Noida, stream_prefix: str, redis_url: str, empty_database_url: str, tmp_path: Path
) -> Iterator[dict[str, Consumer]]:
    settings = program_settings(kafka.address, stream_prefix)
    with ExitStack() as stack:
        cache = stack.enter_context(Consumer("cache.py", tmp_path, {**settings, "VALKEY_URL": redis_url}))
        table = stack.enter_context(Consumer("table.py", tmp_path, {**settings, "DATABASE_URL": empty_database_url}))
        yield {"cache": cache, "table": table}


async def test_both_hold_what_the_ledger_holds_after_kills_and_a_restore(
    topics: Topics, consumers: dict[str, Consumer], cache: Redis, database: asyncpg.Connection
) -> None:
    chance = random.Random(secrets.randbits(32))
    histories = [History("e0", shard) for shard in range(SHARDS)]

    async def await_both(seqs: dict[int, list[int]]) -> None:
        expected = levels_of(histories)

        async def in_step() -> bool:
            assert all(consumer.check() for consumer in consumers.values())
            return await cached_levels(cache) == expected and await tabled(database) == (expected, seqs)

        await wait_until(in_step, swallow=asyncpg.PostgresError, what="both are in step")

    for consumer in consumers.values():
        consumer.start()
    trade_everywhere(topics, histories, chance)
    await await_both({one.shard: [*range(1, len(one.events) + 1)] for one in histories})
    async with killed_before_its_commit(consumers["table"], database):
        trade_everywhere(topics, histories, chance)
    consumers["cache"].kill()
    consumers["cache"].start()
    await await_both({one.shard: [*range(1, len(one.events) + 1)] for one in histories})
    for shard, lost in enumerate(histories):
        histories[shard] = lost.restored("e1", chance.randint(1, len(lost.events) - 1))
        tell_anew(topics, histories[shard])
    async with killed_before_its_commit(consumers["table"], database):
        trade_everywhere(topics, histories, chance)
    for one in histories:
        old_news = [level_of(row) for row in one.levels(one.told).values()]
        topics.write(one.shard, planning_of(one).retold(old_news, one.told, 0))
    await await_both({one.shard: [*range(one.told + 1, len(one.events) + 1)] for one in histories})


@asynccontextmanager
async def killed_before_its_commit(table: Consumer, database: asyncpg.Connection) -> AsyncIterator[None]:
    """With what is written within, some of it in its transaction and the place not: then it is started again."""
    waiting = "select pid from pg_locks where not granted and relation = 'stock_place'::regclass"
    async with database.transaction():
        await database.execute("lock table stock_place in exclusive mode")
        yield
        pid = await wait_until(lambda: database.fetchval(waiting), what="it writes its place")
        table.kill()
        await database.execute("select pg_terminate_backend($1, $2)", pid, int(PATIENCE_S * 1000))
    table.start()


async def test_behind_a_real_relay_both_hold_the_ledgers_levels(
    kafka: Noida,
    stream_prefix: str,
    consumers: dict[str, Consumer],
    shared_system: System,
    cache: Redis,
    database: asyncpg.Connection,
) -> None:
    location, skus = f"told-{secrets.token_hex(4)}", [f"sku-{number}.ß" for number in range(3)]
    key = await shared_system.key("reports", "feed", "stock:read:*", "stock:write:*", "admin")
    async with (
        AsyncClient(shared_system.ledger_url, key) as client,
        shared_system_http(shared_system, key) as ledger,
        running(shared_system, f"kafka://{kafka.address}", stream_prefix) as relay,
    ):
        await relay.is_ready()
        for consumer in consumers.values():
            consumer.start()
        await client.locations.put(location, "Told")
        for sku in skus:
            await client.items.put(sku, sku)
            await client.stock.receive(sku, location, 5)
            await client.stock.sell(sku, location, 1)
        rows = (await ledger.get("/v1/levels")).raise_for_status().json()["levels"]
        expected = {(row["location"], row["sku"]): (row["version"], row["available"]) for row in rows}

        async def in_step() -> bool:
            assert all(consumer.check() for consumer in consumers.values())
            return await cached_levels(cache) == expected and (await tabled(database))[0] == expected

        await wait_until(in_step, swallow=asyncpg.PostgresError, what="both hold what the ledger holds")


async def test_who_begins_when_the_log_is_cut_is_told_and_joins_from_the_ledgers_levels(
    kafka: Noida,
    stream_prefix: str,
    consumers: dict[str, Consumer],
    shared_system: System,
    database: asyncpg.Connection,
) -> None:
    """As retention leaves it: an older epoch without its beginning, and of this one the last change alone."""
    location, sku, table = f"joined-{secrets.token_hex(4)}", f"sku-{secrets.token_hex(4)}", consumers["table"]
    key = await shared_system.key("reports", "feed", "stock:read:*", "stock:write:*", "admin")
    table.settings |= {"STOCKWIRE_URL": shared_system.ledger_url, "STOCKWIRE_API_KEY": key}
    async with AsyncClient(shared_system.ledger_url, key) as client, shared_system_http(shared_system, key) as ledger:
        await client.locations.put(location, "Joined")
        await client.items.put(sku, "Kettle")
        for _ in range(3):
            event = (await client.stock.receive(sku, location, 2)).events[0]
        shards = len((await ledger.get("/v1/shards")).json()["shards"])
        topics = Topics(kafka.address, stream_prefix, shards)
        older = History("older", event.shard)
        for _ in range(3):
            older.commit(SKUS[0], 1)
        late = planning_of(older).changes(logged(older.events[1:]), 0)
        topics.write(event.shard, late)
        await write_behind(ledger, topics, event.shard, event.seq - 1)
        table.start()
        assert table.finished() != 0
        assert f"shard {event.shard}: seq 1 of epoch older had to come, and 2 came" in table.complaints()
        assert await tabled(database) == ({}, {})
        table.start("join")
        assert table.finished() == 0, table.complaints()
        topics.write(event.shard, late)  # what a relay had in hand
        table.start()
        await client.stock.sell(sku, location, 1)
        await write_behind(ledger, topics, event.shard, event.seq)

        async def in_step() -> bool:
            levels, changes = await tabled(database)
            return table.check() and levels.get((location, sku)) == (4, 5) and changes == {event.shard: [event.seq + 1]}

        await wait_until(in_step, what="the table has the level, and the change behind what it joined at")


def shared_system_http(system: System, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=system.ledger_url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE_S)


async def write_behind(ledger: httpx.AsyncClient, topics: Topics, shard: int, seq: int) -> None:
    page = (await ledger.get("/v1/events", params={"shard": shard, "after": seq})).raise_for_status().json()
    topics.write(shard, Planning(SOURCE, page["epoch"], shard, levels_apart=True).changes(logged(page["events"]), 0))


def planning_of(history: History) -> Planning:
    return Planning(SOURCE, history.epoch, history.shard, levels_apart=True)


def trade_everywhere(topics: Topics, histories: list[History], chance: random.Random) -> None:
    """Some changes, and what a relay that died before wrote once more: more than there was, from an older place."""
    for history in histories:
        known = len(history.events)
        for _ in range(chance.randint(1, 30)):
            history.commit(chance.choice(SKUS), chance.randint(-3, 5))
        again = chance.randint(max(history.told, known - 5), known)
        topics.write(history.shard, planning_of(history).changes(logged(history.events[again:]), history.told))


def tell_anew(topics: Topics, history: History) -> None:
    head = history.told = len(history.events)
    rows = [level_of(row) for row in history.levels(head).values()]
    topics.write(history.shard, planning_of(history).rewritten(head))
    for at in range(0, len(rows), 2):
        topics.write(history.shard, planning_of(history).retold(rows[at : at + 2], head, at))
    topics.write(history.shard, planning_of(history).complete(head))


def levels_of(histories: list[History]) -> Levels:
    return {
        (event["location"], sku): (event["version"], event["available"])
        for history in histories
        for sku, event in history.levels(len(history.events)).items()
    }
