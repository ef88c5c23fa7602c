"""The rendered chart, run: installed, sold at, watched, audited, upgraded under traffic, a ledger and a hub killed."""

import asyncio
from pathlib import Path

import pytest

from stockwire import AsyncClient
from tests.deploy.chart import Manifest, changed, of_kind, pods
from tests.deploy.node import Cluster, Pod
from tests.faults.watcher import await_agreement, watching
from tests.harness.api_keys import TOKEN_SECRET
from tests.harness.waiting import wait_until

TIMEOUT_S = 300
"""Fourteen processes, one after the other: on a busy machine that takes longer than other tests may."""

pytestmark = [pytest.mark.timeout(TIMEOUT_S), pytest.mark.usefixtures("processes")]

UNITS = 5000
PAUSE_S = 0.05
KEYS = {
    f"{one}Key": f"sw_abcdefgh234{number}_{number}lXkq2nVb7TzR4cWmYpE1sHdJ0aKfGuQiNoBvLyC3tM"
    for number, one in enumerate(("hub", "console", "channels", "exporter"), 2)
}
BESIDE = ("console", "channels", "exporter")
SOMEBODY: list[Manifest] = [{"podSelector": {}}]


class Seller:
    """One sale after the other until it is closed; ``sold`` are those that were answered."""

    def __init__(self, client: AsyncClient, pause_s: float = PAUSE_S) -> None:
        self._client = client
        self._pause_s = pause_s
        self.sold = 0
        self.closed = False

    async def run(self) -> None:
        while not self.closed:
            await self._client.stock.sell("shoe", "shop")
            self.sold += 1
            await asyncio.sleep(self._pause_s)


async def test_what_is_rendered_sells_through_an_upgrade_and_the_death_of_pods(
    empty_database_url: str, redis_url: str, channel_prefix: str, tmp_path: Path
) -> None:
    values = {
        "settings": {"STOCKWIRE_CHANNEL_PREFIX": channel_prefix},
        "ledger": {"preStopSeconds": 1},
        "hub": {"replicas": 1, "preStopSeconds": 1, "drainSeconds": 1},
        **{one: {"enabled": True, "replicas": 1} for one in BESIDE},
        "secrets": {one: {"name": "stockwire", "key": one} for one in (*KEYS, "sealingKeys")},
        "public": {"console": "https://console.stock.example"},
        "networkPolicy": {"monitoring": SOMEBODY},
    }
    manifests = changed("plain", values)
    contents = {"database": empty_database_url, "broker": redis_url, "token": TOKEN_SECRET, **KEYS}
    contents["sealingKeys"] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    async with Cluster(tmp_path, contents) as cluster:
        migrated, *keys = await cluster.run_jobs(manifests)
        assert migrated == "The database is migrated."
        assert [key.endswith("is let in.") for key in keys] == [True] * len(KEYS)
        await cluster.serve(manifests)
        await asyncio.gather(*(cluster.deploy(manifests, one) for one in of_kind(manifests, "Deployment")))
        scopes = ("--scope", "admin", "--scope", "stock:read:*", "--scope", "stock:write:*")
        key = await cluster.run(pods(manifests)["ledger"], "key", "create", "ops", *scopes)
        api = f"http://{cluster.address_of('ledger')}:8080"
        hubs = [f"ws://{cluster.address_of('hub')}:8090/v1/stream"]
        async with AsyncClient(api, key, hubs=hubs) as client, AsyncClient(api, key, hubs=hubs) as other:
            await client.items.put("shoe", "a shoe")
            await client.locations.put("shop", "a shop")
            await client.stock.receive("shoe", "shop", UNITS)
            await sell_through(cluster, manifests, [client, other])
            await await_audited(cluster.pods["exporter"][0])
        assert [pod.end_status for pod in cluster.ended] == [0, 0, 0], "a pod was cut off at the end of its grace"


async def sell_through(cluster: Cluster, manifests: list[Manifest], clients: list[AsyncClient]) -> None:
    """Each seller, and each watcher, through the whole of it."""
    sellers = [Seller(client) for client in clients]
    async with watching(clients[0], "shop") as one, watching(clients[1], "shop") as two:
        async with asyncio.TaskGroup() as selling:
            for seller in sellers:
                selling.create_task(seller.run())
            upgrade = [one for one in manifests if not of_kind([one], "Job").keys() & {f"{one}-key" for one in BESIDE}]
            assert "is good" in (await cluster.run_jobs(upgrade))[1], "an upgrade made another key"
            await asyncio.gather(*(cluster.deploy(manifests, component) for component in ("ledger", "hub")))
            for component in ("ledger", "hub"):
                await lose_a_pod(cluster, component)
            for seller in sellers:
                seller.closed = True
        await await_agreement(clients[0], "shop", [one, two])
        left = UNITS - sum(seller.sold for seller in sellers)
        assert [watcher.figures["shop", "shoe"][1] for watcher in (one, two)] == [left, left]
        assert one.went_back + two.went_back == []
        assert all(seller.sold for seller in sellers)


async def lose_a_pod(cluster: Cluster, component: str) -> None:
    """It is started again where it was, and scraped where a PodMonitor looks."""
    pod = cluster.pods[component][0]
    starts = pod.starts
    pod.kill()

    async def is_back() -> bool:
        return pod.starts > starts and pod.ready

    await wait_until(is_back, what=f"the {component} is back")
    assert f"stockwire_{component}_" in (await pod.asked("admin", "/metrics")).text


async def await_audited(exporter: Pod) -> None:
    """It has seen every sale, and nothing wrong, where Prometheus alone reaches it."""

    async def audited() -> bool:
        lines = (await exporter.asked("admin", "/metrics")).text.splitlines()
        found = {line.split("{")[0].split()[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line[0] != "#"}
        violations = [line for line in lines if line.startswith("stockwire_audit_violations_total{")]
        assert {line.rsplit(" ", 1)[1] for line in violations} == {"0.0"}, violations
        return found["stockwire_audit_events_total"] > 0 and found["stockwire_audit_behind_seconds"] == 0

    await wait_until(audited, what="everything is audited", swallow=KeyError)
