"""A hub is added while clients watch and stock sells: the other one sends it a share, and nobody misses or repeats."""

import asyncio
from itertools import pairwise

import httpx

from stockwire import AsyncClient, LevelChanged, Snapshot
from tests.harness.metrics import await_metric, metric_of
from tests.harness.servers import Server
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S, wait_until

CLIENTS = 200
UNEVEN_MAX = 0.1
PAUSE_S = 0.05
"""Between two sales: each is told to every client, all of them in this process."""
LAST = 10_000
"""Units that arrive at the end: whoever has seen them has seen everything."""


class Watcher:
    """One client. ``told``: what it was told of the level, in order, by version; ``resumed``: of each later connection,
    whether it went on from where it stood.
    """

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []
        self.resumed: list[bool] = []
        self.watches = asyncio.Event()

    async def watch(self, client: AsyncClient) -> None:
        """Until it has seen the end."""
        async with client.subscribe("shop", ["shoe"]) as subscription:
            async for event in subscription:
                if isinstance(event, Snapshot) and not self.watches.is_set():
                    self.told += [(level.version, level.on_hand) for level in event.levels]
                    self.watches.set()
                elif isinstance(event, Snapshot):
                    self.resumed.append(event.recovered)
                elif isinstance(event, LevelChanged):
                    self.told.append((event.level.version, event.level.on_hand))
                    if event.level.on_hand >= LAST:
                        return


class Sale:
    """Sells until it is closed. ``committed``: the level after each change, by version."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._closed = False
        self.committed: dict[int, int] = {}

    async def open(self) -> None:
        await self._client.items.put("shoe", "a shoe")
        await self._client.locations.put("shop", "a shop")
        await self._receive(LAST // 2)

    async def run(self) -> None:
        while not self._closed:
            level = (await self._client.stock.sell("shoe", "shop")).level
            self.committed[level.version] = level.on_hand
            await asyncio.sleep(PAUSE_S)
        await self._receive(LAST)

    def close(self) -> None:
        self._closed = True

    async def _receive(self, quantity: int) -> None:
        level = (await self._client.stock.receive("shoe", "shop", quantity)).level
        self.committed[level.version] = level.on_hand


async def test_clients_that_are_moved_to_a_new_hub_miss_nothing_and_see_nothing_twice(
    process_system: ProcessSystem,
) -> None:
    system = process_system
    system.plan_hubs(2)
    await system.start_ledger()
    old = await system.start_hub(STOCKWIRE_HUB_DRAIN_S=0.5)
    watchers = [Watcher() for _ in range(CLIENTS)]
    async with AsyncClient(system.ledger_url, await system.admin_key()) as client, asyncio.TaskGroup() as tasks:
        sale = Sale(client)
        await sale.open()
        watching = [tasks.create_task(watcher.watch(client)) for watcher in watchers]
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(watcher.watches.wait() for watcher in watchers))
        selling = tasks.create_task(sale.run())
        new = await system.start_hub()
        await system.await_fresh()
        assert await serving(old) == CLIENTS, "a new hub gets new clients only"
        moved = await make_even(old, new)
        sale.close()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(selling, *watching)
    assert sum(len(watcher.resumed) for watcher in watchers) == moved
    assert all(all(watcher.resumed) for watcher in watchers), "each goes on from where it stood"
    for watcher in watchers:
        versions = [version for version, _ in watcher.told]
        assert all(before < after for before, after in pairwise(versions)), versions
        assert versions[-1] == max(sale.committed)
        assert all(sale.committed[version] == on_hand for version, on_hand in watcher.told)


async def make_even(old: Server, new: Server) -> int:
    """Returns how many were moved."""
    moved = 0
    async with httpx.AsyncClient(base_url=old.admin, trust_env=False, verify=False) as admin:
        while (surplus := await serving(old) - CLIENTS / 2) > UNEVEN_MAX * CLIENTS / 2:
            answer = await admin.post("/drain", params={"share": surplus / await serving(old)})
            moved += answer.json()["moving"]
            await await_metric(old, "stockwire_hub_moving", 0)
            await wait_until(lambda: all_serving(old, new), what="all are back")
    assert await metric_of(old, 'stockwire_hub_moved_total{reason="share"}') == moved
    return moved


async def serving(hub: Server) -> float:
    return await metric_of(hub, 'stockwire_hub_connections_by_state{state="serving"}')


async def all_serving(*hubs: Server) -> bool:
    return sum([await serving(hub) for hub in hubs]) == CLIENTS
