"""A client that is cut at random points, in handshakes, snapshots and traffic: a position never promises too much."""

import asyncio
import logging
import random
from bisect import bisect_right
from collections import defaultdict
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from stockwire import AsyncClient, Freshness, OutOfStock, Snapshot, StreamEvent, receipt, sale
from tests.faults.replicas import add_catalog, replicas
from tests.faults.watcher import Watcher, await_agreement, watching_hub
from tests.harness.proxy import Proxy, proxy_to
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S
from tests.ledger.commit_path import commit_path

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("campaign")]

logger = logging.getLogger(__name__)

CLIENTS, CUTS_EACH = 10, SIZE.of(50)
SKUS = [f"S{number:03d}" for number in range(90)]
WRITERS = 6
HANDSHAKE_BYTES = 1_500
TRAFFIC_BYTES = 90_000
"""A whole snapshot is about 20 KB: most cuts land in traffic, some in a snapshot."""


class Promises:
    """Each position a client was given, with what its view held at that moment."""

    def __init__(self, watcher: Watcher, skus: list[str]) -> None:
        self.skus = skus
        self.resumes = 0
        self.recovered = 0
        self.given: list[tuple[dict[str, int], dict[str, int]]] = []
        self._view = watcher.subscription.view
        watcher.subscription.listen(self._hear)

    def _hear(self, event: StreamEvent) -> None:
        if isinstance(event, Snapshot):
            self.resumes += 1
            self.recovered += event.recovered
        if isinstance(event, Snapshot | Freshness) and self._view.position is not None:
            versions = {sku: level.version for (_, sku), level in self._view.items()}
            self.given.append((dict(self._view.position.seq), versions))


class Traffic:
    """Writers, from now on until every client has had its cuts: views that agree with the ledger want a moment of rest.

    ``stop`` is safe twice.
    """

    def __init__(self, client: AsyncClient) -> None:
        self._writers = [asyncio.create_task(_trade(client)) for _ in range(WRITERS)]
        self._all_cut = asyncio.Barrier(CLIENTS)

    async def rest(self) -> None:
        """Until all clients have come here and nobody writes any more."""
        await self._all_cut.wait()
        await self.stop()

    async def stop(self) -> None:
        for writer in self._writers:
            writer.cancel()
        await asyncio.wait(self._writers)


async def test_a_client_cut_again_and_again_holds_what_its_position_promises(system: ProcessSystem) -> None:
    await system.start(ledgers=1, hubs=1)
    key = await system.admin_key()
    async with replicas(system) as ledgers:
        await add_catalog(ledgers[0], SKUS, ["berlin"])
    async with AsyncClient(system.ledger_url, key) as client:
        await client.operation([receipt(sku, "berlin", 1000) for sku in SKUS])
        traffic = Traffic(client)
        try:
            cut = await asyncio.gather(
                *(_cut_client(system, key, client, traffic, number) for number in range(CLIENTS))
            )
        finally:
            await traffic.stop()
    history = await _history(system)
    assert sum(promises.resumes for promises in cut) >= 0.5 * CLIENTS * CUTS_EACH
    assert sum(promises.recovered for promises in cut) >= 0.2 * CLIENTS * CUTS_EACH, "hardly any resume was tried"
    logger.info(
        "%d cuts, %d resumed or begun again, %d of them recovered, %d positions checked",
        CLIENTS * CUTS_EACH,
        sum(promises.resumes for promises in cut),
        sum(promises.recovered for promises in cut),
        sum(len(promises.given) for promises in cut),
    )
    for promises in cut:
        for position, versions in promises.given:
            _assert_kept(promises.skus, position, versions, history)


async def _cut_client(system: ProcessSystem, key: str, client: AsyncClient, traffic: Traffic, number: int) -> Promises:
    stream = urlsplit(system.stream_urls[0])
    assert stream.hostname is not None
    assert stream.port is not None
    skus = None if number % 2 else SKUS[: 30 * (1 + number % 3)]
    async with proxy_to(stream.hostname, stream.port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}{stream.path}"
        async with watching_hub(url, key, "berlin", skus) as watcher:
            promises = Promises(watcher, skus or SKUS)
            await _cut_again_and_again(proxy)
            proxy.heal()
            await traffic.rest()
            await await_agreement(client, "berlin", [watcher] if skus is None else [])
            await watcher.subscription.ready(PATIENCE_S)
    assert watcher.went_back == []
    return promises


async def _cut_again_and_again(proxy: Proxy) -> None:
    for _ in range(CUTS_EACH):
        bytes_max = HANDSHAKE_BYTES if random.random() < 0.15 else TRAFFIC_BYTES
        proxy.down.reset_after(random.randint(1, bytes_max))
        await proxy.was_reset("down")


async def _trade(client: AsyncClient) -> None:
    while True:
        lines = [random.choice((sale, receipt))(sku, "berlin", 1) for sku in random.sample(SKUS, 5)]
        try:
            await client.operation(lines)
        except OutOfStock:
            continue


async def _history(system: ProcessSystem) -> dict[str, list[tuple[str, int, int]]]:
    """By sku: shard, seq and version of every event, in order."""
    history: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    async with commit_path(system.database_url) as path, path.engine.connect() as connection:
        rows = await connection.execute(text("select sku, shard, seq, version from stock_event order by shard, seq"))
        for sku, shard, seq, version in rows:
            history[sku].append((str(shard), seq, version))
    return history


def _assert_kept(
    skus: list[str],
    position: dict[str, int],
    versions: dict[str, int],
    history: dict[str, list[tuple[str, int, int]]],
) -> None:
    """A level that the view lacks counts as version 0."""
    for sku in skus:
        held, events = versions.get(sku, 0), history[sku]
        promised = bisect_right(events, position[events[0][0]], key=lambda event: event[1])
        assert held >= promised, f"{sku}: position {position} promises version {promised}, the view holds {held}"
