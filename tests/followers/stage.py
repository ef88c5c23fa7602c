"""A ledger, receivers, and `stockwire channels` in the test's own process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from followers.process import Channels
from followers.settings import read_settings
from followers.webhooks.endpoints import Endpoint
from tests.followers.receivers import Receivers
from tests.followers.running import Shop, settings_of
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api, sale

SKUS = ("A", "B", "C")
LOCATION = "berlin"
LEASE_S = 300
"""Longer than any test waits: nobody here waits for a lease to run out."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A ledger, receivers, and whoever sends to them: ``channels`` runs until the end of the test."""

    shop: Shop
    receivers: Receivers
    api: Api
    channels: Channels

    async def endpoint(self, name: str, *types: str, **more: object) -> Endpoint:
        return await self.shop.endpoint(f"{self.receivers.url}/{name}", *types, **more)  # type: ignore[arg-type]  # by name

    async def sell(self, times: int, *skus: str) -> None:
        for _ in range(times):
            for sku in skus or SKUS:
                assert (await self.api.move(sale(LOCATION, sku))).is_success

    async def pause(self, *made: Endpoint) -> None:
        """Returns when nothing more is sent to them. Before, they were held: nobody takes them afterwards."""

        async def held() -> bool:
            return {one.id for one in made} <= set(self.channels.held.endpoints)

        async def left() -> bool:
            return not {one.id for one in made} & set(self.channels.held.endpoints)

        await wait_until(held)
        for one in made:
            await self.shop.endpoints.pause(one.id)
        await wait_until(left)

    async def until(self, name: str, expected: dict[str, list[int]]) -> None:
        """Until exactly these versions were accepted, by sku."""

        async def there() -> bool:
            return self.receivers.versions(name) == expected

        await wait_until(there, what=f"{name} has {self.receivers.versions(name)}")

    async def types_at(self, name: str, count: int) -> list[str]:
        async def there() -> bool:
            return len(self.receivers.received[name]) >= count

        await wait_until(there)
        return [one.content["type"] for one in self.receivers.received[name]]


@asynccontextmanager
async def running(system: ResidentSystem, lease_s: float = LEASE_S) -> AsyncIterator[Channels]:
    given = await settings_of(system, STOCKWIRE_CHANNELS_LEASE_S=lease_s)
    settings = read_settings({name: str(value) for name, value in given.items()})
    channels = Channels(settings)
    api, admin = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    async with asyncio.TaskGroup() as tasks:
        started = asyncio.Event()
        running = tasks.create_task(channels.run(api, admin, started.set))
        await started.wait()
        try:
            yield channels
        finally:
            channels.stop()
            async with asyncio.timeout(PATIENCE_S):
                await running


async def nothing_waits(stage: Stage) -> bool:
    return await stage.shop.behind() == 0
