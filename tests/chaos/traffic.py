"""Eight writers and twenty watchers: what they did and saw is kept, whole, for the oracle."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from stockwire import (
    AsyncClient,
    Level,
    LevelChanged,
    Line,
    Snapshot,
    StockwireError,
    StreamEvent,
    held,
    held_from,
    receipt,
    sale,
)
from stockwire.oracle import HoldInvocation, Invocation, Recorder
from stockwire.view import Key, State
from tests.chaos.field import SPREAD as LEDGERS
from tests.chaos.field import Field
from tests.chaos.lag import Lag
from tests.harness.waiting import PATIENCE_S

OWNER = "writers"
WRITERS, WATCHERS = 8, 20
SKUS = [f"S{number:02d}" for number in range(12)]
LOCATIONS = ["berlin", "paris", "rome"]
PACE_S = 0.02
"""Between two operations of one writer: enough for some hundreds in a second, and an idle moment for all the others."""
RETRY_FOR_S = 25.0
"""Longer than any fault lasts: what still fails then has failed for good."""
REPEATED, COUNTED, SPREAD, HELD = 0.1, 0.05, 0.2, 0.25
"""The shares of operations that repeat an old key, count, have several lines, and hold a basket."""
BASKET_TTL_S = 3
PAID, CANCELLED = 0.4, 0.25
"""The shares of baskets that are paid for and that are cancelled; the others are left until their time is over."""
PATIENT, IMPATIENT = 10_000, 0
"""Tries after the first, of half of the writers and of the others: these leave with an unknown outcome, and perhaps an
operation that is committed when they have gone."""
HEALED_DEADLINE_S = 30.0


@dataclass
class Traffic:
    """``pause`` and ``go`` hold the writers back and let them on; what is under way is finished first.

    ``clients``: the patient ones, one for each ledger, then as many impatient ones.
    """

    recorder: Recorder
    clients: list[AsyncClient]
    watchers: list["Watcher"]
    chance: random.Random
    _going: asyncio.Event = field(default_factory=asyncio.Event)
    _under_way: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, number: int) -> None:
        """Until cancelled."""
        client = self.clients[number % len(self.clients)]
        while True:
            await self._going.wait()
            self._under_way += 1
            self._idle.clear()
            try:
                await self._one(client)
            except StockwireError:
                pass  # kept by the recorder, and judged
            finally:
                self._under_way -= 1
                if not self._under_way:
                    self._idle.set()
            await asyncio.sleep(PACE_S * self.chance.random() * 2)

    @property
    def ended(self) -> int:
        return len(self.recorder.invocations) + len(self.recorder.holds)

    @property
    def calls(self) -> list[Invocation | HoldInvocation]:
        """In the order in which they ended."""
        return sorted((*self.recorder.invocations, *self.recorder.holds), key=lambda call: call.completed_s)

    def go(self) -> None:
        self._going.set()

    async def pause(self) -> None:
        """Returns when the last operation has its answer. Raises TimeoutError."""
        self._going.clear()
        async with asyncio.timeout(RETRY_FOR_S + HEALED_DEADLINE_S):
            while self._under_way:
                await self._idle.wait()

    async def done(self, operations: int, deadline_s: float = 60.0) -> None:
        """Until so many more have ended, well or badly."""
        goal = self.ended + operations
        async with asyncio.timeout(deadline_s):
            while self.ended < goal:  # noqa: ASYNC110 - a list is no event
                await asyncio.sleep(PACE_S)

    async def _one(self, client: AsyncClient) -> None:
        dice = self.chance.random()
        kept = self.recorder.invocations
        if dice < REPEATED and kept:
            old = self.chance.choice(kept[-500:])
            if old.lines[0].kind != "count":
                await self.recorder.operation(client, old.lines, key=old.key)
        elif dice < REPEATED + COUNTED:
            level = await client.stock.get(self.chance.choice(SKUS), self.chance.choice(LOCATIONS))
            on_hand = max(level.reserved, level.on_hand + self.chance.randrange(-2, 3))
            await self.recorder.count(client, level.sku, level.location, on_hand, if_version=level.version)
        elif dice < REPEATED + COUNTED + HELD:
            await self._basket(client)
        else:
            several = dice < REPEATED + COUNTED + HELD + SPREAD
            await self.recorder.operation(
                client, [self._line() for _ in range(self.chance.randrange(2, 5) if several else 1)]
            )

    async def _basket(self, client: AsyncClient) -> None:
        """Held at one place or at several; then paid for and sent, cancelled, or left."""
        places = self.chance.sample(LOCATIONS, self.chance.randrange(1, 4))
        units = self.chance.randrange(1, 5)
        wanted = [held_from(sku, places, units, split=True) for sku in self.chance.sample(SKUS, 2)]
        basket = await self.recorder.reserve(client, wanted, ttl_s=BASKET_TTL_S)
        dice = self.chance.random()
        if dice < PAID:
            await self.recorder.about(client, basket.id, "extend", ttl_s=BASKET_TTL_S)
            await self.recorder.about(client, basket.id, "commit", fulfil=dice < PAID / 4)
            await self.recorder.about(client, basket.id, self.chance.choice(("fulfil", "fulfil", "cancel")))
        elif dice < PAID + CANCELLED:
            first = basket.lines[0]
            less = [held(first.sku, first.location, 0)]
            await self.recorder.about(client, basket.id, "change", less, ttl_s=BASKET_TTL_S)
            await self.recorder.about(client, basket.id, "cancel")

    def _line(self) -> Line:
        make = self.chance.choice((sale, sale, receipt))
        return make(self.chance.choice(SKUS), self.chance.choice(LOCATIONS), self.chance.randrange(1, 4))


class Watcher:
    """``went_back``: every level that came with a version no higher than one already shown within its epoch."""

    def __init__(self, client: AsyncClient, location: str, skus: list[str] | None, lag: Lag) -> None:
        self.location = location
        self.skus = skus
        self.subscription = client.subscribe(location, skus)
        self.went_back: list[tuple[Level, int]] = []
        self._lag = lag
        self._shown: dict[tuple[str | None, Key], int] = {}
        self._brought: set[Level] = set()
        self.subscription.listen(self._hear)

    @property
    def fresh(self) -> bool:
        return self.subscription.view.state is State.FRESH

    def differs(self, truth: dict[Key, Level]) -> list[Key]:
        wanted = {
            key: level.version
            for key, level in truth.items()
            if self.location in ("*", level.location) and (self.skus is None or level.sku in self.skus)
        }
        shown = {key: level.version for key, level in self.subscription.view.items() if level.version}
        return [key for key in wanted.keys() | shown.keys() if wanted.get(key, 0) != shown.get(key, 0)]

    def _hear(self, event: StreamEvent) -> None:
        if isinstance(event, LevelChanged):
            if event.level in self._brought:  # by the snapshot just before: told again as a change, and no measure
                return
            if event.level.committed_at is not None:
                self._lag.arrived(time.time() - event.level.committed_at.timestamp())
            self._show(event.level, again=False)
        elif isinstance(event, Snapshot):
            self._brought = set(event.levels)
            for level in event.levels:
                self._show(level, again=True)

    def _show(self, level: Level, *, again: bool) -> None:
        position = self.subscription.view.position
        key = (position.epoch if position else None, level.key)
        shown = self._shown.get(key, -1)
        if level.version < shown or (level.version == shown and not again):
            self.went_back.append((level, shown))
        self._shown[key] = max(shown, level.version)


@asynccontextmanager
async def traffic(under_fire: Field, chance: random.Random, lag: Lag) -> AsyncIterator[Traffic]:
    """Everybody connected and the shelves filled; the writers wait for ``go``."""
    key = await under_fire.system.key(OWNER, "admin", "stock:read:*", "stock:write:*")
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                AsyncClient(url, key, max_retries=tries, retry_for_s=RETRY_FOR_S, timeout_s=5.0, hubs=hubs)
            )
            for tries in (PATIENT, IMPATIENT)
            for url, hubs in zip(
                under_fire.ledger_urls, (under_fire.stream_urls, under_fire.stream_urls[::-1]), strict=True
            )
        ]
        recorder = Recorder(OWNER)
        await _fill(clients[0], recorder)
        watchers = [Watcher(clients[n % LEDGERS], *_selection(n), lag) for n in range(WATCHERS)]
        for watcher in watchers:
            await stack.enter_async_context(watcher.subscription)
            await watcher.subscription.ready(PATIENCE_S)
        running = Traffic(recorder, clients, watchers, chance)
        async with asyncio.TaskGroup() as tasks:
            writing = [tasks.create_task(running.write(n), name=f"writer {n}") for n in range(WRITERS)]
            try:
                yield running
            finally:
                for task in writing:
                    task.cancel()


async def _fill(client: AsyncClient, recorder: Recorder) -> None:
    for sku in SKUS:
        await client.items.put(sku, sku)
    for location in LOCATIONS:
        await client.locations.put(location, location)
        await recorder.operation(client, [receipt(sku, location, 20) for sku in SKUS])


def _selection(number: int) -> tuple[str, list[str] | None]:
    """Some watch everything, some a location, some a few skus of one."""
    location = LOCATIONS[number % len(LOCATIONS)]
    match number % 4:
        case 0:
            return "*", None
        case 1 | 2:
            return location, None
    return location, SKUS[: 1 + number % len(SKUS)]
