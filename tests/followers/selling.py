"""Sales that go on while something is broken."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.ledger.api import Api, receipt, sale

SKUS = tuple(f"S{number}" for number in range(5))
LOCATION = "berlin"
APART_S = 0.02


@asynccontextmanager
async def selling(api: Api, seed: int) -> AsyncIterator[None]:
    """On all of SKUS, until the end of the block. What the ledger cannot take meanwhile is left out."""
    for sku in SKUS:
        await api.stock(LOCATION, sku, 100)
    stop = asyncio.Event()

    async def sell() -> None:
        chance = random.Random(seed)
        while not stop.is_set():
            sku = chance.choice(SKUS)
            move = sale(LOCATION, sku) if chance.random() < 0.7 else receipt(LOCATION, sku, 3)
            try:
                await api.move(move)
            except (httpx.HTTPError, AssertionError):
                await asyncio.sleep(APART_S)
            await asyncio.sleep(APART_S)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sell())
        try:
            yield
        finally:
            stop.set()


async def versions(api: Api) -> dict[str, int]:
    """Of all of SKUS, as the ledger has them now."""
    answers = {sku: await api.get(f"/v1/levels/{LOCATION}/{sku}") for sku in SKUS}
    return {sku: answer.json()["version"] for sku, answer in answers.items()}
