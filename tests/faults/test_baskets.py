"""Thousands of baskets hold a launch's units at three ledgers, one of which is killed: none is held twice, none refused
that is free."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

import httpx
import pytest

from ledger.commit.hold import STATES
from stockwire import (
    AsyncClient,
    Level,
    OutOfStock,
    Refused,
    Reservation,
    StockwireError,
    Unavailable,
    held,
    receipt,
    sale,
)
from stockwire.hold_history import SWEEPER
from stockwire.operation import Event
from stockwire.oracle import HoldInvocation, Invocation, Recorder, judge
from tests.faults.replicas import replicas
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.commit_path import commit_path

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("campaign")]

SKU, PLACE, OWNER = "A", "berlin", "shop"
LEDGERS = 3
BASKETS, UNITS = SIZE.of(5_000), SIZE.of(1_000)
SHOPPERS = 240
TTL_S = 1
PAID_LATE_S = 1.5 * TTL_S
"""Who pays takes up to so long: some are late, and take the units again or are told what is left."""
PAID, CANCELLED = 0.25, 0.4
"""The shares of baskets that are paid for, and that are cancelled; the others are abandoned and expire."""

logger = logging.getLogger(__name__)


class Shop:
    """``killed``: the ledger that is no more. Each basket is sent to any of the others."""

    def __init__(self, clients: Sequence[AsyncClient]) -> None:
        self.recorder = Recorder(OWNER)
        self.killed: AsyncClient | None = None
        self.begun = 0
        self._clients = clients

    async def shopper(self) -> None:
        """One basket after the other. What a shopper is refused, and what nobody knows, is the oracle's matter."""
        while self.begun < BASKETS:
            self.begun += 1
            try:
                await (self._buy_at_once() if random.random() < 0.1 else self._basket())
            except StockwireError:
                continue

    def any_client(self) -> AsyncClient:
        return random.choice([client for client in self._clients if client is not self.killed])

    async def _buy_at_once(self) -> None:
        await self.recorder.operation(self.any_client(), [sale(SKU, PLACE, 1)])

    async def _basket(self) -> None:
        wanted = [held(SKU, PLACE, random.choice((1, 1, 2, 3)))]
        basket = await self.recorder.reserve(self.any_client(), wanted, ttl_s=TTL_S)
        dice = random.random()
        if dice < PAID:
            await asyncio.sleep(random.random() * PAID_LATE_S)
            await self.recorder.about(self.any_client(), basket.id, "commit")
            await self.recorder.about(self.any_client(), basket.id, random.choice(("fulfil", "fulfil", "cancel")))
        elif dice < PAID + CANCELLED:
            if dice < PAID + CANCELLED / 4:
                await self.recorder.about(self.any_client(), basket.id, "extend", ttl_s=TTL_S)
                await self.recorder.about(self.any_client(), basket.id, "change", [held(SKU, PLACE, 1)])
            await self.recorder.about(self.any_client(), basket.id, "cancel")


async def test_no_unit_is_held_twice_and_no_free_one_refused_while_a_ledger_dies(system: ProcessSystem) -> None:
    await asyncio.gather(*(system.start_ledger() for _ in range(LEDGERS)))
    key = await system.key(OWNER, "admin", "stock:read:*", "stock:write:*")
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(AsyncClient(url, key, max_retries=0, timeout_s=PATIENCE_S))
            for url in system.ledger_urls
        ]
        shop = Shop(clients)
        await clients[0].items.put(SKU, SKU)
        await clients[0].locations.put(PLACE, PLACE)
        await shop.recorder.operation(clients[0], [receipt(SKU, PLACE, UNITS)])
        async with asyncio.TaskGroup() as tasks:
            for _ in range(SHOPPERS):
                tasks.create_task(shop.shopper())
            await wait_until(lambda: _begun(shop, BASKETS // 3))
            system.ledgers[-1].kill()
            shop.killed = clients[-1]
        await _judge(system, shop, clients[0])


async def _begun(shop: Shop, baskets: int) -> bool:
    return shop.begun >= baskets


async def _judge(system: ProcessSystem, shop: Shop, client: AsyncClient) -> None:
    async with commit_path(system.database_url) as path:

        async def swept() -> bool:
            return not await path.scalar("select count(*) from hold where state = 'pending'")

        await wait_until(swept)
        assert await path.audit() == []
        released = await path.scalar(
            f"select count(*) from operation where owner = '{SWEEPER}' and key not like '% all'"
        )
    levels: list[Level] = [level async for level in client.levels()]
    reservations: list[Reservation] = [one async for one in client.reservations.list()]
    events = await _events(system)
    calls: list[Invocation | HoldInvocation] = [*shop.recorder.invocations, *shop.recorder.holds]
    violations = judge(calls, events, levels, reservations=reservations)
    ended = Counter(one.state for one in reservations)
    refused = Counter(type(call.answer).__name__ for call in calls if isinstance(call.answer, Refused))
    lost = sum(call.unknown or isinstance(call.answer, Unavailable) for call in calls)
    logger.info(
        "%d calls, %d units: %s; refused %s; %d lost; %d let go of before a refusal, %d left",
        len(calls), UNITS, dict(ended), dict(refused), lost, released, levels[0].on_hand,
    )  # fmt: skip
    assert violations == []
    assert lost > 0, "nobody noticed the killed ledger: the kill came too late"
    assert {"fulfilled", "cancelled", "expired"} <= ended.keys() <= set(STATES)
    assert refused[OutOfStock.__name__] > 0, "there was enough for all: this proved nothing"
    assert released > 0, "nobody was sold what had just expired"


async def _events(system: ProcessSystem) -> list[Event]:
    async with replicas(system) as ledgers:
        found: list[Event] = []
        for shard in (await _get(ledgers[0], "/v1/shards", {}))["shards"]:
            after = 0
            while page := (await _get(ledgers[0], "/v1/events", {"shard": shard["shard"], "after": after}))["events"]:
                found += [Event.parse(event) for event in page]
                after = found[-1].seq
        return found


async def _get(ledger: httpx.AsyncClient, path: str, query: dict[str, int]) -> dict[str, list[dict[str, int]]]:
    answer = await ledger.get(path, params=query)
    document: dict[str, list[dict[str, int]]] = answer.raise_for_status().json()
    return document
