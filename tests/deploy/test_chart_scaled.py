"""Hubs of the rendered chart under 3,000 clients that stay: scaled up and down, and one killed, behind a Gateway that
leads to the pod with the fewest connections. A fifth of the clients with a fifth of the age in `make test`.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from stockwire import AsyncClient
from tests.deploy.chart import Manifest, changed, of_kind, pods
from tests.deploy.crowd import crowd
from tests.deploy.gateway import Gateway
from tests.deploy.node import Cluster
from tests.deploy.test_chart_runs import KEYS, Seller, lose_a_pod
from tests.harness.api_keys import TOKEN_SECRET
from tests.harness.size import SIZE
from tests.harness.waiting import PATIENCE_S, wait_until

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.usefixtures("campaign"), pytest.mark.timeout(SIZE.timeout_s)]

CLIENTS = SIZE.of(3_000)
AGE_S = 60 if SIZE.share >= 1 else 8
"""Three quarters are more than the 5 s of a heartbeat."""
HANDSHAKES_PER_S = SIZE.of(500)
"""A fifth of which a hub sends away of age: less of fewer clients, or a single look would take a sixth of them."""
UNEVEN_MAX = 0.1
HERE_MIN = 0.5
"""Who is moved stays away for a quarter of a second and more, so with an age of seconds some always are."""
UNITS = 100_000
PAUSE_S = SIZE.of(5)
"""Each sale is told to every client, and all of them share one process."""
OPEN, AGED = "stockwire_hub_connections", 'stockwire_hub_moved_total{reason="age"}'


@dataclass(frozen=True, slots=True)
class Counts:
    """``connections``: open, of each hub. ``aged``: told to leave of age, by each of those processes."""

    connections: list[int]
    aged: dict[tuple[str, int], int]

    @property
    def even(self) -> bool:
        """No hub has a tenth more or less than its share of those that are not on their way at this moment."""
        here = sum(self.connections)
        share = here / len(self.connections)
        apart = max(abs(some - share) for some in self.connections)
        return here >= HERE_MIN * CLIENTS and apart <= UNEVEN_MAX * share

    def moved_since(self, before: "Counts") -> int:
        return sum(count - before.aged.get(process, 0) for process, count in self.aged.items())


async def counted(cluster: Cluster) -> Counts:
    """Raises httpx.HTTPError while one is away."""
    counts = Counts([], {})
    for pod in cluster.pods["hub"]:
        lines = (await pod.asked("admin", "/metrics")).text.splitlines()
        values = dict(line.rsplit(" ", 1) for line in lines if line.startswith((OPEN, AGED)))
        counts.connections.append(int(float(values[OPEN])))
        counts.aged[pod.address, pod.starts] = int(float(values[AGED]))
    return counts


@asynccontextmanager
async def becoming_even(cluster: Cluster, what: str) -> AsyncIterator[None]:
    """After what is done within, in the time that the age allows: before all have gone once."""
    began = time.monotonic()
    yield
    now = before = await counted(cluster)

    async def even() -> bool:
        nonlocal now
        now = await counted(cluster)
        return now.even

    await wait_until(even, 3 * AGE_S + PATIENCE_S, what=f"even, {what}", swallow=httpx.HTTPError)
    moved = now.moved_since(before)
    log.info("%s: %s after %.1f s, %d moved of age", what, now.connections, time.monotonic() - began, moved)
    assert moved <= CLIENTS


async def test_clients_are_spread_evenly_over_hubs_that_come_and_go(
    empty_database_url: str, redis_url: str, channel_prefix: str, tmp_path: Path
) -> None:
    settings = {
        "STOCKWIRE_HUB_CONNECTION_AGE_S": str(AGE_S),
        "STOCKWIRE_HUB_HANDSHAKES_PER_S": str(HANDSHAKES_PER_S),
    }
    values = {
        "settings": {"STOCKWIRE_CHANNEL_PREFIX": channel_prefix},
        "ledger": {"replicas": 1, "preStopSeconds": 1},
        "hub": {"replicas": 2, "preStopSeconds": 1, "drainSeconds": SIZE.of(10), "settings": settings},
    }
    manifests = changed("plain", values)
    contents = {"database": empty_database_url, "broker": redis_url, "token": TOKEN_SECRET, **KEYS}
    async with Cluster(tmp_path, contents) as cluster:
        await cluster.run_jobs(manifests)
        await cluster.serve(manifests)
        await asyncio.gather(*(cluster.deploy(manifests, one) for one in of_kind(manifests, "Deployment")))
        scopes = ("--scope", "admin", "--scope", "stock:read:*", "--scope", "stock:write:*")
        key = await cluster.run(pods(manifests)["ledger"], "key", "create", "ops", *scopes)
        api = f"http://{cluster.address_of('ledger')}:8080"
        async with Gateway(cluster, tmp_path, {"stream": ("hub", 8090)}) as gateway:
            hubs = [f"ws://{gateway.address}:8090/v1/stream"]
            async with AsyncClient(api, key, timeout_s=PATIENCE_S) as client:
                await client.items.put("shoe", "a shoe")
                await client.locations.put("shop", "a shop")
                await client.stock.receive("shoe", "shop", UNITS)
                seller = Seller(client, PAUSE_S)
                async with crowd(api, key, hubs, CLIENTS, "shop") as clients:
                    async with asyncio.TaskGroup() as selling:
                        selling.create_task(seller.run())
                        await scale(cluster, manifests)
                        seller.closed = True
                    ((_, on_hand, _),) = await clients.agreed()
                assert on_hand == UNITS - seller.sold
        assert [pod.end_status for pod in cluster.ended] == [0], "it was cut off at the end of its grace"


async def scale(cluster: Cluster, manifests: list[Manifest]) -> None:
    hub = pods(manifests)["hub"]
    async with becoming_even(cluster, "at first"):
        pass
    async with becoming_even(cluster, "scaled from 2 to 4"):
        await cluster.scale("hub", hub, 4)
    async with becoming_even(cluster, "one of 4 killed"):
        await lose_a_pod(cluster, "hub")
    async with becoming_even(cluster, "scaled from 4 to 3"):
        await cluster.scale("hub", hub, 3)
