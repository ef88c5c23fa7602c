"""Varnish and nginx before real hubs while stock moves: how many requests reach the hubs, how old an answer gets, and
what readers are told while there is no hub."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest

from hub.stock.shards import FRESH_S
from stockwire import AsyncClient, Line
from tests.deploy.edge_cache import CACHES, EdgeCache
from tests.deploy.edge_readers import Reader, Seen, read_all
from tests.deploy.load_balancer import address
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("campaign")]

logger = logging.getLogger(__name__)

READERS = SIZE.of(2_000)
"""Of each cache."""
SKUS = [f"S{number}" for number in range(50)]
LINES = 10
CHANGES_PER_S = 100
MOVING_S = max(4.0, 30.0 * min(1.0, SIZE.share))
DEAD_S = max(9.0, 30.0 * min(1.0, SIZE.share))
"""Longer than what is old is said to be fresh, in the smallest run too."""
KEPT_S = 6.0
REFUSED_S = 61.0
"""docs/decisions/0043-public-reads-have-one-copy.md: until it is marked, and until it is given no more."""
PAUSE_S = 3.0
"""For which a hub may stand still, and then say what it knew."""
SECOND = 1.1
"""nginx counts whole ones."""


class Movements:
    """Each sku is sold out and delivered in turn, so that every change is seen by the public: the n-th is version n."""

    def __init__(self, client: AsyncClient, location: str) -> None:
        self._client = client
        self._location = location
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._done_at: dict[str, list[float]] = {sku: [] for sku in SKUS}
        self.count = 0
        self.stop = False

    async def move(self, skus: list[str]) -> None:
        lines = []
        for sku in skus:
            in_stock = len(self._done_at[sku]) % 2 == 1
            lines.append(Line(sku, self._location, -1 if in_stock else 1, "sale" if in_stock else "receipt"))
        await self._client.operation(lines)
        now = self._clock()
        for sku in skus:
            self._done_at[sku].append(now)
        self.count += len(skus)

    async def go_on(self) -> None:
        """Until told to ``stop``, at ``CHANGES_PER_S``: what is cut off may have moved all the same."""
        while not self.stop:
            for first in range(0, len(SKUS), LINES):
                next_at = self._clock() + LINES / CHANGES_PER_S
                await self.move(SKUS[first : first + LINES])
                await asyncio.sleep(max(0.0, next_at - self._clock()))

    def superseded(self, sku: str, version: int) -> float:
        """When the change after ``version`` was answered: infinity if there was none yet."""
        done = self._done_at[sku]
        return done[version] if version < len(done) else float("inf")

    def version(self, sku: str) -> int:
        return len(self._done_at[sku])


async def test_readers_cost_hubs_nothing_and_are_answered_while_there_are_none(
    process_system: ProcessSystem, tmp_path: Path
) -> None:
    system, location = process_system, f"web-{secrets.token_hex(3)}"
    await system.start_ledger()
    for _ in range(2):
        await system.start_hub(
            STOCKWIRE_HUB_PUBLIC_LOCATIONS=location, STOCKWIRE_BEHIND_PROXY=1, STOCKWIRE_TRUSTED_PROXIES="127.0.0.1"
        )
    await system.await_fresh()
    async with AsyncClient(system.ledger_url, await system.admin_key(), max_retries=20) as client:
        await client.locations.put(location, location)
        for sku in SKUS:
            await client.items.put(sku, sku)
        movements = Movements(client, location)
        await movements.move(SKUS)
        caches: dict[str, EdgeCache] = {}
        for name, kind in CACHES.items():
            (tmp_path / name).mkdir()
            caches[name] = kind(tmp_path / name, [address(hub.url) for hub in system.hubs])
        try:
            await run(system, location, movements, caches)
        finally:
            for cache in caches.values():
                cache.front.stop()


async def run(system: ProcessSystem, location: str, movements: Movements, caches: dict[str, EdgeCache]) -> None:
    clock = asyncio.get_running_loop().time
    standing: dict[str, tuple[Seen, list[Reader]]] = {}
    for cache in caches.values():
        await wait_until(partial(_answers, cache, location), swallow=httpx.HTTPError)
    before = {name: cache.fetched() for name, cache in caches.items()}
    began_at = clock()
    for name, cache in caches.items():
        standing[name] = await read_all(cache.port, location, SKUS, READERS, movements.superseded)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(movements.go_on())
        await asyncio.sleep(MOVING_S)
        alive_s, fetched = clock() - began_at, {name: cache.fetched() for name, cache in caches.items()}
        answers = {name: seen.answers for name, (seen, _) in standing.items()}
        killed_at = clock()
        for hub in system.hubs:
            hub.kill()
        await asyncio.sleep(DEAD_S)
        last_unmarked_at = {name: seen.last_unmarked_at for name, (seen, _) in standing.items()}
        dead_until = clock()
        await asyncio.gather(*(hub.restart() for hub in system.hubs))
        movements.stop = True
    await wait_until(lambda: _agreed(standing, movements), what="all readers see the last version")
    for _, readers in standing.values():
        for reader in readers:
            reader.close()
    for name, (seen, _) in standing.items():
        asked = fetched[name] - before[name]
        logger.info(
            "%s: %d readers, %d skus, %.0f changes/s; %d answers in %.1f s, %d fetched (%.1f/s); oldest said to be"
            " fresh %.2f s; %.0f s without hubs: %d answers marked, oldest %.2f s, none failed",
            *(name, READERS, len(SKUS), movements.count / (dead_until - began_at), answers[name], alive_s, asked),
            *(asked / alive_s, seen.fresh_s, dead_until - killed_at, seen.marked, seen.marked_s),
        )
        assert answers[name] > READERS
        assert asked <= len(SKUS) * (alive_s + 2 * SECOND), "more than each sku once in a second"
        assert seen.fresh_s <= KEPT_S + FRESH_S + PAUSE_S + SECOND
        assert seen.marked_s <= REFUSED_S + FRESH_S + PAUSE_S + SECOND
        assert last_unmarked_at[name] <= killed_at + KEPT_S + SECOND
        assert seen.marked


async def _answers(cache: EdgeCache, location: str) -> bool:
    cache.front.assert_runs()
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"http://127.0.0.1:{cache.port}/v1/availability/{location}/{SKUS[0]}")
    return bool(answer.headers.get("Stockwire-Fresh") == "true")


async def _agreed(standing: dict[str, tuple[Seen, list[Reader]]], movements: Movements) -> bool:
    assert not [failed for seen, _ in standing.values() for failed in seen.failed]
    return all(
        set(versions.values()) == {movements.version(sku)}
        for seen, _ in standing.values()
        for sku, versions in seen.versions.items()
    )
