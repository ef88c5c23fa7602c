"""The rendered Rollouts carried out: a version that is bad on purpose is rolled back by its analysis alone, while it
sells, and a good one goes to the end. Pods, gateway, Prometheus and what it answers are real; Argo's controller is
tests/deploy/argo.py.
"""

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest

from stockwire import AsyncClient
from tests.deploy import bad_image
from tests.deploy.argo import FASTER, Verdict, canary
from tests.deploy.chart import NAMESPACE, ROLLOUT, ROLLOUTS, Manifest, changed, container_of, of_kind, pods
from tests.deploy.gateway import Gateway
from tests.deploy.node import Cluster
from tests.deploy.test_chart_runs import KEYS, SOMEBODY, Seller
from tests.faults.watcher import await_agreement, watching
from tests.harness.api_keys import TOKEN_SECRET
from tests.harness.prometheus import Prometheus, prometheus
from tests.harness.size import SIZE

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.usefixtures("campaign"), pytest.mark.timeout(SIZE.timeout_s)]

WEIGHTS, MINUTES = [20, 60] if SIZE.share >= 1 else [50], 6
"""So that a bad ledger fails some in each minute, also of a busy machine, and three of them are bad."""
UNITS = 50_000
SELLERS, WATCHERS = 6, 6
PAUSE_S = 0.1
LOOK_S = 0.1
BAD = "registry.example/stockwire:bad"
BECOMES = {BAD: [sys.executable, bad_image.__file__]}


@dataclass(frozen=True, slots=True)
class Shop:
    """What one test has of the chart: ledgers and hubs of one version each, that sell through a gateway."""

    cluster: Cluster
    gateway: Gateway
    manifests: list[Manifest]
    watched: Prometheus

    async def replace(self, component: str, before: str, revision: str, image: str) -> Verdict | None:
        """By its Rollout. None: it is all of it now."""
        rollout = of_kind(self.manifests, ROLLOUT)[component]
        template = deepcopy(rollout["spec"]["template"])
        container_of(template)["image"] = image
        templates = {one["metadata"]["name"]: one for one in self.manifests if one["kind"] == "AnalysisTemplate"}

        async def to(weight: int, replicas: int) -> None:
            if replicas:
                await self.cluster.scale(component, template, replicas, revision)
            self.gateway.weights = {**self.gateway.weights, revision: weight, before: 100 - weight}
            if not replicas:
                await self.cluster.scale(component, template, 0, revision)
            elif weight == 100:
                await self.cluster.scale(component, template, 0, before)

        began = time.monotonic()
        verdict = await canary(rollout, templates, revision, self.watched, to)
        log.info("%s after %.1f s: %s", revision, time.monotonic() - began, verdict or "all of it")
        return verdict

    def revisions(self, component: str) -> set[str]:
        return {pod.revision for pod in self.cluster.pods[component]}


async def test_a_bad_version_is_rolled_back_by_its_analysis_alone_and_a_good_one_goes_to_the_end(
    empty_database_url: str, redis_url: str, channel_prefix: str, tmp_path: Path
) -> None:
    contents = {"database": empty_database_url, "broker": redis_url, "token": TOKEN_SECRET, **KEYS}
    manifests = changed("plain", values_of(channel_prefix))
    async with selling(tmp_path, contents, manifests) as (shop, clients):
        sellers = [Seller(client, PAUSE_S) for client in clients]
        async with AsyncExitStack() as stack:
            watchers = [await stack.enter_async_context(watching(clients[0], "shop")) for _ in range(WATCHERS)]
            async with asyncio.TaskGroup() as selling_on:
                for seller in sellers:
                    selling_on.create_task(seller.run())
                await bad_ones_go_back(shop)
                await good_ones_go_to_the_end(shop)
                for seller in sellers:
                    seller.closed = True
            await await_agreement(clients[0], "shop", watchers)
            left = UNITS - sum(seller.sold for seller in sellers)
            assert {watcher.figures["shop", "shoe"][1] for watcher in watchers} == {left}, (
                "a sale was lost, or done twice"
            )


async def bad_ones_go_back(shop: Shop) -> None:
    ledger, hub = await asyncio.gather(
        shop.replace("ledger", "ledger-1", "ledger-bad", BAD), shop.replace("hub", "hub-1", "hub-bad", BAD)
    )
    assert ledger is not None
    assert hub is not None
    assert (ledger.phase, ledger.metric) == ("Failed", "answered"), ledger
    assert (hub.phase, hub.metric) in {("Failed", "in-time"), ("Failed", "fresh")}, hub
    assert (shop.revisions("ledger"), shop.revisions("hub")) == ({"ledger-1"}, {"hub-1"})
    assert shop.gateway.weights == {"ledger-1": 100, "ledger-bad": 0, "hub-1": 100, "hub-bad": 0}
    failed = 'sum(stockwire_ledger_request_seconds_count{outcome="failed",rollouts_pod_template_hash="%s"})'
    assert await shop.watched.value(failed % "ledger-1") == 0, "what was good has failed to answer"


async def good_ones_go_to_the_end(shop: Shop) -> None:
    image = container_of(pods(shop.manifests)["ledger"])["image"]
    ended = await asyncio.gather(
        shop.replace("ledger", "ledger-1", "ledger-2", image), shop.replace("hub", "hub-1", "hub-2", image)
    )
    assert all(verdict is None for verdict in ended), ended
    assert (shop.revisions("ledger"), shop.revisions("hub")) == ({"ledger-2"}, {"hub-2"})
    assert {pod.end_status for pod in shop.cluster.ended} == {0}, "one was cut off at the end of its grace"


def values_of(channel_prefix: str) -> Manifest:
    """Limits are the chart's own, but for how late is late: a busy machine is slower than a cluster."""
    return {
        "settings": {"STOCKWIRE_CHANNEL_PREFIX": channel_prefix},
        "ledger": {"replicas": 1, "preStopSeconds": 1},
        "hub": {"replicas": 1, "preStopSeconds": 1, "drainSeconds": 1},
        "exporter": {"enabled": True},
        "secrets": {"exporterKey": {"name": "stockwire", "key": "exporter-key"}},
        "routes": {"enabled": True, "gateways": [{"name": "public", "sectionName": "https"}]},
        "podMonitor": {"enabled": True},
        "networkPolicy": {"monitoring": SOMEBODY},
        "rollouts": ROLLOUTS["rollouts"] | {"weights": WEIGHTS, "minutes": MINUTES, "limits": {"lateSeconds": 1}},
    }


@asynccontextmanager
async def selling(
    folder: Path, contents: dict[str, str], manifests: list[Manifest]
) -> AsyncIterator[tuple[Shop, list[AsyncClient]]]:
    """Installed, with stock, before a gateway, and scraped as its PodMonitors say."""
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(Cluster(folder, contents, BECOMES))
        await cluster.run_jobs(manifests)
        await cluster.serve(manifests)
        templates = pods(manifests)
        await asyncio.gather(
            *(cluster.scale(one, templates[one], 1, f"{one}-1") for one in ("ledger", "hub", "exporter"))
        )
        scopes = ("--scope", "admin", "--scope", "stock:read:*", "--scope", "stock:write:*")
        key = await cluster.run(templates["ledger"], "key", "create", "ops", *scopes)
        gateway = Gateway(cluster, folder, {"api": ("ledger", 8080), "stream": ("hub", 8090)})
        await stack.enter_async_context(gateway)
        targets = folder / "targets.json"
        await stack.enter_async_context(discovering(cluster, manifests, targets))
        scraping = prometheus(folder / "prometheus", {}, interval_s=15 / FASTER, discovered=targets)
        watched = await stack.enter_async_context(scraping)
        api, hubs = f"http://{gateway.address}:8080", [f"ws://{gateway.address}:8090/v1/stream"]
        clients = [
            await stack.enter_async_context(AsyncClient(api, key, hubs=hubs, max_retries=20)) for _ in range(SELLERS)
        ]
        await clients[0].items.put("shoe", "a shoe")
        await clients[0].locations.put("shop", "a shop")
        await clients[0].stock.receive("shoe", "shop", UNITS)
        await watched.scraped(3)
        yield Shop(cluster, gateway, manifests, watched), clients


@asynccontextmanager
async def discovering(cluster: Cluster, manifests: list[Manifest], targets: Path) -> AsyncIterator[None]:
    """The Prometheus operator: what its PodMonitors name, as they come and go, goes into ``targets``."""
    monitors = of_kind(manifests, "PodMonitor")

    def named() -> list[Manifest]:
        return [
            {"targets": [pod.listens(endpoint["port"])], "labels": labels_of(component, pod.revision, monitor)}
            for component, monitor in monitors.items()
            for pod in cluster.pods.get(component, ())
            for endpoint in monitor["spec"]["podMetricsEndpoints"]
        ]

    async def follow() -> None:
        told: list[Manifest] = []
        while True:
            if (now := named()) != told:
                written = targets.with_suffix(".new")
                written.write_text(json.dumps(now))
                written.replace(targets)
                told = now
            await asyncio.sleep(LOOK_S)

    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(follow(), name="a Prometheus operator")
        try:
            yield
        finally:
            following.cancel()


def labels_of(component: str, revision: str, monitor: Manifest) -> dict[str, str]:
    """Beside those of every pod, the labels that the PodMonitor takes over."""
    taken = {name.replace("-", "_"): revision for name in monitor["spec"].get("podTargetLabels", ())}
    return {"namespace": NAMESPACE, "component": component, **taken}
