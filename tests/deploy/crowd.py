"""Many clients of one process, all of which watch until the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stockwire import AsyncClient
from tests.faults.watcher import Watcher, watching
from tests.harness.waiting import PATIENCE_S

COMING_MAX = 50
"""At once: of more, the last would have waited for too long when this process comes to it."""


@asynccontextmanager
async def crowd(client: AsyncClient, size: int, location: str) -> AsyncIterator[list[Watcher]]:
    """Ready: each has its first snapshot."""
    here: list[Watcher] = []
    end = asyncio.Event()
    coming = asyncio.Semaphore(COMING_MAX)
    everybody = asyncio.Event()

    async def one() -> None:
        await coming.acquire()
        async with watching(client, location) as watcher:
            coming.release()
            here.append(watcher)
            if len(here) == size:
                everybody.set()
            await end.wait()

    async with asyncio.TaskGroup() as tasks:
        for number in range(size):
            tasks.create_task(one(), name=f"client {number}")
        try:
            async with asyncio.timeout(PATIENCE_S * (1 + size / 1_000)):
                await everybody.wait()
            yield here
        finally:
            end.set()
