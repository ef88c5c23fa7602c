"""`up --observe`: a Prometheus reads every process of it, and has an answer for all that the dashboards ask."""

import asyncio
import json
import math
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from stockwire import AsyncClient, Item
from stockwire.errors import OutOfStock
from tests.cli.running import RunningUp, gone
from tests.deploy.observe.rules import alerts
from tests.harness.dashboards import PanelQuery, asked, queries_of
from tests.harness.programs import need_program
from tests.harness.prometheus import Prometheus
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")

SAMPLE = "85123A"
WATCHERS = 100
UNITS = 4
BUYERS_AT_ONCE = 8
LOCATION = "launch"
SKUS = [f"HOT-{number}" for number in range(3)]
DASHBOARDS = sorted((ROOT / "deploy" / "observe" / "dashboards").glob("*.json"))
WINDOW = "40s"


@pytest.fixture(scope="module")
def observed(server_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    need_program("prometheus")
    options = ("--observe", "--stream", "nats", "--no-console", "--replay", "10")
    up = RunningUp(tmp_path_factory.mktemp("observed"), *options)
    try:
        up.start()
        yield up
        children = up.processes()
    finally:
        status = up.stop()
    assert status == 0, up.output
    assert gone(children) == []


def prometheus_of(up: RunningUp) -> Prometheus:
    return Prometheus(up.run["prometheus"])


async def test_it_reads_every_process_by_its_name_and_judges_our_rules(observed: RunningUp) -> None:
    assert observed.printed_line("Prometheus http").startswith(f"Prometheus {observed.run['prometheus']}  (")
    asked_of = prometheus_of(observed)
    await asked_of.scraped(5)
    assert {found["metric"]["instance"] for found in await asked_of.query("up")} == set(observed.run["admin"])
    assert {found["metric"]["job"] for found in await asked_of.query("up")} == {"ledger", "hub", "exporter", "relay"}
    assert {rule["name"] for rule in await asked_of.rules() if rule["type"] == "alerting"} == set(alerts())


async def test_another_system_without_a_prometheus_says_so_and_sells(
    observed: RunningUp, tmp_path: Path, database_url: str, redis_url: str, channel_prefix: str
) -> None:
    servers = {"STOCKWIRE_DATABASE_URL": database_url, "STOCKWIRE_REDIS_URL": redis_url}
    nothing = {"PATH": str(tmp_path), "STOCKWIRE_CHANNEL_PREFIX": channel_prefix}
    options = ("--observe", "--no-console", "--hubs", "1", "--replay", "0")
    other = RunningUp(tmp_path, *options, settings={**servers, **nothing})
    try:
        other.start()
        assert other.run["prometheus"] is None
        assert "prometheus" not in other.run["pids"]
        assert other.printed_line("Prometheus none").startswith("Prometheus none on the PATH: install it (Debian: ")
        async with AsyncClient(other.run["ledger"], other.run["key"]) as client:
            await client.stock.sell(SAMPLE, "shop")
        assert not set(other.run["admin"].values()) & set(observed.run["admin"].values())
        children = other.processes()
    finally:
        status = other.stop()
    assert status == 0, other.output
    assert gone(children) == []


@pytest.mark.parametrize("name", ["exporter", "prometheus"])
async def test_what_was_killed_is_back_and_goes_on(observed: RunningUp, name: str) -> None:
    before = observed.run
    os.kill(before["pids"][name], signal.SIGKILL)
    await observed.replaced(before["pids"], name)
    replaced_at = time.time()
    assert observed.run["prometheus"] == before["prometheus"]

    async def all_read_since() -> bool:
        return await prometheus_of(observed).value(f"count(up == 1 and timestamp(up) > {replaced_at})") == 5

    await wait_until(all_read_since, what=f"all are read after {name} was killed", swallow=httpx.HTTPError)


async def test_every_query_of_every_dashboard_is_answered_with_data_during_a_launch(observed: RunningUp) -> None:
    """Rounds of a small launch, until nothing is left without an answer."""
    prometheus = prometheus_of(observed)
    left = [query for path in DASHBOARDS for query in queries_of(json.loads(path.read_text()))]
    deadline = time.monotonic() + PATIENCE_S
    async with AsyncClient(observed.run["ledger"], observed.run["key"]) as client, watchers(observed, client):
        while left:
            assert time.monotonic() < deadline, [f"{query.title}: {query.expression}" for query in left]
            await launch(observed, client)
            await prometheus.until(f"min(timestamp(up)) > {time.time()}")
            left = [query for query in left if not await has_data(prometheus, query)]


@asynccontextmanager
async def watchers(up: RunningUp, client: AsyncClient) -> AsyncIterator[None]:
    await client.locations.put(LOCATION, "Launch")
    await client.items.put_many([Item(sku, sku) for sku in SKUS])
    async with AsyncExitStack() as screens:
        for _ in range(WATCHERS):
            await screens.enter_async_context(client.subscribe(LOCATION))
        yield


async def launch(up: RunningUp, client: AsyncClient) -> None:
    """More want a unit than there are; a share of the screens is sent elsewhere; pages are read that there are not."""
    await asyncio.gather(*(client.stock.receive(sku, LOCATION, UNITS) for sku in SKUS))
    await asyncio.gather(*(buy(client, sku) for sku in SKUS for _ in range(BUYERS_AT_ONCE)))
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {up.run['key']}"}) as http:
        await http.post(f"{up.run['admin']['hub-1']}/drain", params={"share": 0.1})
        await http.get(f"{up.run['reads'][0]}/v1/levels/{LOCATION}/NOTHING")
        await http.get(f"{up.run['reads'][0]}/v1/levels", params={"location": LOCATION})


async def buy(client: AsyncClient, sku: str) -> None:
    with suppress(OutOfStock):
        await client.stock.sell(sku, LOCATION)


async def has_data(prometheus: Prometheus, query: PanelQuery) -> bool:
    """A number, and all the labels that the legend shows."""
    found = await prometheus.query(asked(query.expression, WINDOW, WINDOW))
    numbers = [one for one in found if not math.isnan(float(one["value"][1]))]
    assert all(query.legend_labels <= set(one["metric"]) for one in numbers), query
    return bool(numbers)
