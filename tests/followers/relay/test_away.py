"""Brokers that are away for an hour: commits and hubs notice nothing, relays hold a page, the log holds the backlog.

The first half of it they hang, as a machine that froze, and the second half nobody listens. ``make campaign`` takes the
hour and every kind of broker at once, a part of it NATS and some seconds.
"""

import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from followers.log.follower import PAGE
from followers.log.ledger import Ledger
from followers.relay.process import SCOPES
from followers.relay.relayed import PAGES_TOGETHER
from tests.followers.relay.campaign import Place
from tests.followers.relay.places import KafkaTopic, nats_streams, rabbitmq_queue, rabbitmq_streams
from tests.followers.relay.reading import Reader, check
from tests.followers.relay.steady_shop import Waited, steady_shop
from tests.harness.brokers.apache_kafka import ApacheKafka, need_apache_kafka
from tests.harness.brokers.broker import Broker
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.brokers.rabbitmq import RabbitMQ, need_rabbitmq
from tests.harness.processes import ServerProcess, relay_process
from tests.harness.size import SIZE
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until

WHOLE = SIZE.share >= 1
AWAY_S = 3_600.0 if WHOLE else 16.0
BEFORE_S = 60.0 if WHOLE else 4.0
SALES_PER_S = 10
LINES = PAGE * PAGES_TOGETHER if WHOLE else 50
"""Events of each location before all others: relays have had in hand all that they ever take at once, before their
memory is looked at."""
WITHIN_S = 900.0
"""For a relay to see that its broker is back, at most half a minute, and to write an hour, on a busy machine."""
READ_S = 1_800.0
GROWS_MAX = 1.2
NOTICED, NOTICED_S = 10.0, 1.0
"""Whoever waited for a broker would wait for seconds, until a deadline ends. Times before, and seconds, which a busy
machine alone may take."""
USER = {"STOCKWIRE_BROKER_USER": "guest", "STOCKWIRE_BROKER_PASSWORD": "guest"}

pytestmark = [pytest.mark.timeout(AWAY_S + WITHIN_S + 2 * READ_S), pytest.mark.usefixtures("campaign")]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outlet:
    """A relay, and where it writes."""

    place: Place
    relay: ServerProcess

    @property
    def memory(self) -> int:
        return int(psutil.Process(self.relay.pid).memory_info().rss)

    async def by_shard(self, name: str) -> dict[int, float]:
        """A metric of the relay. Raises httpx.HTTPError."""
        text = await self._metrics()
        found = re.findall(rf'^stockwire_relay_{name}\{{shard="(\d+)",[^}}]*\}} (\S+)$', text, re.MULTILINE)
        return {int(shard): float(value) for shard, value in found}

    async def sink_up(self) -> bool:
        return bool(re.search(r"^stockwire_relay_sink_up\{[^}]*\} 1\.0$", await self._metrics(), re.MULTILINE))

    async def _metrics(self) -> str:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as http:
            return (await http.get(f"{self.relay.admin}/metrics")).text


async def test_whoever_sells_waits_for_a_broker_that_is_away(system: ResidentSystem, server_folder: Path) -> None:
    """Or a relay keeps in memory what it cannot write, or loses some of it."""
    brokers = brokers_below(server_folder)
    await system.start(hubs=1)
    key = await system.key("relay", *SCOPES)
    async with (
        AsyncExitStack() as stack,
        Ledger(system.ledger_url, key) as ledger,
        steady_shop(system) as shop,
    ):
        for broker in brokers:
            stack.callback(broker.close)
            await broker.restart()
        await shop.stock_up(LINES)
        outlets = await stack.enter_async_context(relays(system, await places(brokers), key))
        await all_written(ledger, outlets)
        before = await shop.sell(SALES_PER_S, BEFORE_S)
        await all_written(ledger, outlets)
        memory = [outlet.memory for outlet in outlets]

        for broker in brokers:
            broker.pause()
        hung = await shop.sell(SALES_PER_S, AWAY_S / 2)
        for broker in brokers:
            broker.kill()
        gone = await shop.sell(SALES_PER_S, AWAY_S / 2)

        await lag_is_told(ledger, outlets)
        say("away", before, hung, gone, memory, outlets)
        assert_unnoticed(before, hung, gone)
        assert_kept_small(memory, outlets)
        for broker in brokers:
            await broker.restart()
        await all_written(ledger, outlets)
        say("back", before, hung, gone, memory, outlets)
        assert_kept_small(memory, outlets)
        for outlet in outlets:
            await holds_all_once(ledger, outlet)


def brokers_below(folder: Path) -> list[Broker]:
    brokers: list[Broker] = [NatsServer(folder / "nats-away")]
    if WHOLE:
        need_apache_kafka()
        need_rabbitmq()
        brokers += [ApacheKafka(folder / "kafka-away"), RabbitMQ(folder / "rabbitmq-away")]
    return brokers


async def places(brokers: Sequence[Broker]) -> list[Place]:
    found: list[Place] = []
    for broker in brokers:
        if isinstance(broker, NatsServer):
            found.append(nats_streams(broker, "nats"))
        elif isinstance(broker, ApacheKafka):
            found.append(KafkaTopic(broker.address, "kafka"))
        elif isinstance(broker, RabbitMQ):
            found += [rabbitmq_streams(broker, "streams"), await rabbitmq_queue(broker, "exchange")]
    return found


@asynccontextmanager
async def relays(system: ResidentSystem, to: Sequence[Place], key: str) -> AsyncIterator[list[Outlet]]:
    """One for each place; what was made there would outlive a kill."""
    outlets: list[Outlet] = []
    async with AsyncExitStack() as stack:
        for place in to:
            settings = {
                "STOCKWIRE_URL": system.ledger_url,
                "STOCKWIRE_RELAY_KEY": key,
                "STOCKWIRE_RELAY_TO": place.to,
                "STOCKWIRE_RELAY_PREFIX": place.prefix,
                **(USER if place.to.startswith("rabbitmq") else {}),
            }
            relay = relay_process(f"relay-{place.prefix}", system.folder, settings)
            stack.callback(relay.kill)
            await relay.start()
            outlets.append(Outlet(place, relay))
        for outlet in outlets:
            await wait_until(outlet.sink_up, WITHIN_S, what="the sink is made")
            await outlet.place.settle()
        yield outlets
        for outlet in outlets:
            await outlet.relay.stop()
            outlet.relay.check_log()


async def heads(ledger: Ledger) -> dict[int, int]:
    return {one["shard"]: one["head"] for one in (await ledger.shards())["shards"]}


async def all_written(ledger: Ledger, outlets: Sequence[Outlet]) -> None:
    due = await heads(ledger)
    for outlet in outlets:

        async def there(outlet: Outlet = outlet) -> bool:
            return await outlet.by_shard("seq") == due

        await wait_until(there, WITHIN_S, what=f"{due} at {outlet.place.to}", swallow=httpx.HTTPError)
        assert await outlet.sink_up()


async def lag_is_told(ledger: Ledger, outlets: Sequence[Outlet]) -> None:
    """Of each shard of which there is any: how many events wait, and for how long the first has waited."""
    due = await heads(ledger)
    for outlet in outlets:

        async def told(outlet: Outlet = outlet) -> bool:
            seqs, behind = await outlet.by_shard("seq"), await outlet.by_shard("behind_events")
            return {shard: seqs[shard] + behind[shard] for shard in due} == due

        await wait_until(told, WITHIN_S, what=f"the lag of {outlet.place.to}", swallow=httpx.HTTPError)
        assert not await outlet.sink_up()
        behind, behind_s = await outlet.by_shard("behind_events"), await outlet.by_shard("behind_seconds")
        assert any(behind.values())
        assert all(behind_s[shard] > AWAY_S / 2 for shard, events in behind.items() if events), behind_s


def say(
    when: str, before: Waited, hung: Waited, gone: Waited, memory: Sequence[int], outlets: Sequence[Outlet]
) -> None:
    log.info(
        "%s: p50 of sales %s ms, of levels %s ms, before, hung, gone; %d sales; relays grew %s",
        when,
        [round(1e3 * one.sale_s, 1) for one in (before, hung, gone)],
        [round(1e3 * one.level_s, 1) for one in (before, hung, gone)],
        len(hung.sales_s) + len(gone.sales_s),
        {
            outlet.place.prefix: f"{outlet.memory / was:.2f} of {was / 2**20:.0f} MiB"
            for outlet, was in zip(outlets, memory, strict=True)
        },
    )


def assert_unnoticed(before: Waited, *away: Waited) -> None:
    for one in away:
        assert one.sale_s < max(NOTICED * before.sale_s, NOTICED_S)
        assert one.level_s < max(NOTICED * before.level_s, NOTICED_S)


def assert_kept_small(memory: Sequence[int], outlets: Sequence[Outlet]) -> None:
    for outlet, was in zip(outlets, memory, strict=True):
        assert outlet.memory <= GROWS_MAX * was, f"{outlet.place.to}: {outlet.memory:,} bytes of {was:,}"


async def holds_all_once(ledger: Ledger, outlet: Outlet) -> None:
    reader = Reader()
    reader.read(await wait_until(outlet.place.read, READ_S, what=f"{outlet.place.to} is read", swallow=AssertionError))
    await check(ledger, reader)
    assert reader.repeats == 0 or outlet.place.prefix == "exchange"
    log.info("%s: %d changes, %d repeats", outlet.place.to, len(reader.ids), reader.repeats)
