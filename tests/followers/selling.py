"""Sales that go on while something is broken."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from followers.log.ledger import Event
from tests.ledger.api import Api, receipt, sale

SKUS = tuple(f"S{number}" for number in range(5))
LOCATION = "berlin"
APART_S = 0.02
BEGUN_WITH = 4
PAGE = 1_000
SALES = 0.75
"""Of all that is tried; the others bring three units, so that levels are out, low and back again and again."""


@asynccontextmanager
async def selling(
    api: Api,
    seed: int,
    keeps_up: Callable[[], Awaitable[bool]] | None = None,
    *,
    location: str = LOCATION,
    apart_s: float = APART_S,
) -> AsyncIterator[None]:
    """On all of SKUS, until the end of the block. What the ledger cannot take meanwhile is left out. ``keeps_up``: no
    more is sold while it is false."""
    for sku in SKUS:
        await api.stock(location, sku, BEGUN_WITH)
    stop = asyncio.Event()

    async def sell() -> None:
        chance = random.Random(seed)
        while not stop.is_set():
            if keeps_up is not None and not await keeps_up():
                await asyncio.sleep(apart_s)
                continue
            sku = chance.choice(SKUS)
            move = sale(location, sku) if chance.random() < SALES else receipt(location, sku, 3)
            try:
                await api.move(move)
            except (httpx.HTTPError, AssertionError):
                await asyncio.sleep(apart_s)
            await asyncio.sleep(apart_s)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sell())
        try:
            yield
        finally:
            stop.set()


async def histories(api: Api) -> dict[str, list[Event]]:
    """Of all of SKUS, every event that there was, by sku."""
    return {sku: await _history(api, sku) for sku in SKUS}


async def _history(api: Api, sku: str) -> list[Event]:
    found: list[Event] = []
    while True:
        after = found[-1]["version"] if found else 0
        answer = await api.get(f"/v1/levels/{LOCATION}/{sku}/events?after={after}&limit={PAGE}")
        events = answer.json()["events"]
        if not events:
            return found
        found += events
