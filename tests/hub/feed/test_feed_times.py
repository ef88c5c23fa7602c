"""How far behind a hub may be, and how soon it says so: its feed on simulated lines to broker and ledger."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import pytest

from server.tracing.span import place
from tests.hub.in_memory import parts_of_a_lone_feed
from tests.simulation.broker import BrokerLine
from tests.simulation.ledger import LedgerLine
from tests.simulation.loop import VirtualLoop, on_virtual_clock
from tests.simulation.node import SimulatedFeed
from tests.simulation.stock import Stock
from wire.channels import shard_channel
from wire.messages import Batch, encode
from wire.trace import Trace

SEED = 13
BEHIND_S_MAX = 2.0
"""docs/design.md, 6: what the log says is here by then, whatever the broker does."""
BEAT_S = 0.4
"""Between two heartbeats of a ledger: 250 to 500 ms."""
JUDGED_S = 0.1
"""The feed looks every 50 ms."""
BACK_S_MAX = 1.0
"""The next beat, and before it a connection to the broker that is just being made anew."""


class Shop:
    """A ledger that beats, and a hub's feed. ``quiet``: the shards of which nothing is heard any more."""

    def __init__(self, *, broker_up: bool = True) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = loop
        self.random, counts = Random(SEED), Counter[str]()
        self.stock = Stock()
        self.quiet: set[int] = set()
        self.broker = BrokerLine(loop, self.random, counts)
        self.broker.up = broker_up
        self.ledger = LedgerLine(self.stock, self.random, counts)
        self.feed = SimulatedFeed(parts_of_a_lone_feed(self.ledger), self.broker, loop, counts)

    async def beat(self) -> None:
        while True:
            for shard, message in self.stock.heartbeats():
                if shard not in self.quiet:
                    self.broker.publish("heartbeat", shard_channel("stockwire", shard), message)
            await asyncio.sleep(BEAT_S)

    async def behind_s(self) -> float:
        """After a sale of which the broker says nothing: until the hub has it."""
        self.stock.commit(self.random)
        return await self.until(lambda: self.lasts() == self.stock.history.heads())

    async def until_fresh_is(self, fresh: bool) -> float:
        return await self.until(lambda: self.feed.fresh is fresh)

    async def until(self, condition: Callable[[], bool]) -> float:
        began = self.loop.time()
        while not condition():
            assert self.loop.time() - began < 60, "never"
            await asyncio.sleep(0.01)
        return self.loop.time() - began

    def lasts(self) -> dict[int, int]:
        return dict(enumerate(self.feed.fanout.shards.lasts())) if self.feed.fanout else {}


@asynccontextmanager
async def open_shop(*, broker_up: bool = True) -> AsyncIterator[Shop]:
    shop = Shop(broker_up=broker_up)
    tasks = [asyncio.create_task(shop.feed.run()), asyncio.create_task(shop.beat())]
    await shop.feed.started.wait()
    if broker_up:
        await shop.until_fresh_is(True)
    yield shop
    assert not any(task.done() for task in tasks), tasks


@on_virtual_clock
async def test_without_the_broker_the_log_is_followed_within_2_seconds() -> None:
    async with open_shop(broker_up=False) as shop:
        for number in range(40):
            await asyncio.sleep(0.13 * number)
            assert await shop.behind_s() < BEHIND_S_MAX
        assert not shop.feed.fresh


@on_virtual_clock
async def test_how_long_a_message_took_is_shown_by_a_trace_of_its_own_or_none() -> None:
    shown: list[Trace | None] = []
    trace = place(None)
    async with open_shop() as shop:
        shop.feed._parts = replace(shop.feed._parts, applied=lambda _events, _transit_s, trace: shown.append(trace))
        for traced in (True, False):
            (event,) = shop.stock.history.commit("berlin", "A")
            traces = {event.operation if traced else "another": trace.traceparent()}
            message = Batch(shop.stock.history.epoch, event.shard, event.seq, [event], traces=traces)
            shop.feed.message(shard_channel("stockwire", event.shard), encode(message))
    assert shown == [trace, None]


@pytest.mark.parametrize("lost", ["the connection", "what comes over it"])
@on_virtual_clock
async def test_a_broker_that_goes_away_leaves_a_hub_2_seconds_behind_and_no_more(lost: str) -> None:
    async with open_shop() as shop:
        for number in range(20):
            await asyncio.sleep(0.13 * number)
            shop.broker.up, shop.broker.mute = lost != "the connection", lost != "the connection"
            assert await shop.behind_s() < BEHIND_S_MAX
            shop.broker.up, shop.broker.mute = True, False
            await shop.until_fresh_is(True)


@pytest.mark.parametrize("quiet", [{0}, {0, 1, 2}], ids=["one shard", "all"])
@on_virtual_clock
async def test_a_ledger_that_beats_no_more_is_noticed_in_2_seconds_and_that_it_does_again_in_one(
    quiet: set[int],
) -> None:
    async with open_shop() as shop:
        before_s = shop.feed.behind_s
        shop.ledger.away, shop.quiet = True, quiet
        assert BEHIND_S_MAX - BEAT_S - JUDGED_S < await shop.until_fresh_is(False) < BEHIND_S_MAX + JUDGED_S
        assert BEHIND_S_MAX * 1000 <= shop.feed.lag_ms < (BEHIND_S_MAX + JUDGED_S) * 1000
        await asyncio.sleep(5)
        assert shop.feed.lag_ms >= (BEHIND_S_MAX + 5) * 1000, "it grows until something is heard"
        assert shop.feed.behind_s - before_s == pytest.approx(5, abs=2 * JUDGED_S), "while it lasts, too"
        shop.ledger.away, shop.quiet = False, set()
        back_s = await shop.until_fresh_is(True)
        assert back_s < BACK_S_MAX
        await asyncio.sleep(5)
        assert shop.feed.behind_s - before_s == pytest.approx(5 + back_s, abs=2 * JUDGED_S)
