"""The gateways of deploy/ on loopback: whatever dies behind the one public address, clients go on."""

import asyncio
import logging
import re
import secrets
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from ledger.http.routes.events import WAIT_S_MAX
from server.http.connection import HEAD_BYTES_MAX
from server.http.server import KEEP_ALIVE_S
from stockwire import AsyncClient, Line, OperationResult, State
from tests.console.running import RunningConsole, running_console
from tests.deploy.front import DEPLOY
from tests.deploy.load_balancer import (
    CONFIGURATION,
    GATEWAYS,
    LoadBalancer,
    connections,
    limits,
)
from tests.faults.watcher import Watcher, await_agreement, watching
from tests.harness.envoy import need_envoy
from tests.harness.postgres import PostgresServer
from tests.harness.processes import ServerProcess
from tests.harness.programs import need_program
from tests.harness.system import ProcessSystem
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")

logger = logging.getLogger(__name__)

CLIENTS = 20
SKUS = [f"S{number}" for number in range(10)]
STOCK = 10_000
CALLERS = 8
SALES = 400
RETRIES = 20
"""Of clients that sell: more than a busy machine can use up while something is away."""
SPREADS_MAX = 5
"""A hub that is too busy to answer HAProxy for a moment gets no clients; not each time."""
OF_THIS_MACHINE = re.compile("could not resolve address|has no nameservers configured")
"""Complaints about containers' names, which are none here."""
HEARTBEAT_S_MAX = 60.0
"""docs/reference/settings.md: STOCKWIRE_HUB_HEARTBEAT_S."""


def test_haproxy_takes_the_file_as_it_is() -> None:
    checked = subprocess.run(
        [need_program("haproxy"), "-c", "-f", str(CONFIGURATION)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    complaints = [line for line in checked.stderr.splitlines() if "[WARNING]" in line or "[ALERT]" in line]
    assert not [line for line in complaints if not OF_THIS_MACHINE.search(line)]


def test_envoy_takes_the_file_as_it_is() -> None:
    checked = subprocess.run(
        [need_envoy(), "--mode", "validate", "-c", str(DEPLOY / "envoy.yaml"), "--log-level", "warning"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stderr


def test_haproxy_is_more_patient_than_what_is_behind_it_and_lets_go_first() -> None:
    found = limits()
    assert found["tunnel"] > HEARTBEAT_S_MAX, "a quiet stream would be cut off"
    assert min(found["client"], found["server"]) > WAIT_S_MAX, "a long poll would be cut off"
    assert found["http-keep-alive"] < KEEP_ALIVE_S
    assert found["tune.bufsize"] <= HEAD_BYTES_MAX


@pytest.fixture(scope="module")
def balancer(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, valkey: ValkeyServer, template_database: str
) -> Iterator[LoadBalancer]:
    """One system for all tests of this file: each starts again what it has ended, and has a location of its own."""
    name = postgres.create_database(template_database)
    folder = tmp_path_factory.mktemp("behind")
    system = ProcessSystem(folder, postgres.url(name), valkey.url, f"behind-{secrets.token_hex(4)}")
    balancer = LoadBalancer(system, folder)
    try:
        asyncio.run(balancer.start())
        yield balancer
    finally:
        asyncio.run(system.stop())
        postgres.drop_database(name)


@pytest.fixture(scope="module", params=GATEWAYS)
def behind(request: pytest.FixtureRequest, balancer: LoadBalancer) -> Iterator[LoadBalancer]:
    with balancer.stands(request.param):
        yield balancer


async def test_hubs_are_killed_and_drained_while_clients_watch_and_sell(behind: LoadBalancer, unique_name: str) -> None:
    first, second = behind.system.hubs
    async with audience(behind, unique_name) as (client, watchers):
        async with selling(client, unique_name):
            began = time.monotonic()
            first.kill()
            await moved(watchers, second)
        await agreed(client, unique_name, watchers, "kill -9", began)
        await first.restart()
        await newcomers_reach(first, behind, unique_name)
        async with selling(client, unique_name):
            began = time.monotonic()
            second.terminate()
            await moved(watchers, first)
            assert await second.wait() == 0
        await agreed(client, unique_name, watchers, "SIGTERM", began)
    await second.restart()


async def test_a_ledger_killed_while_sales_go_through_leaves_one_effect_for_each_key(
    behind: LoadBalancer, unique_name: str
) -> None:
    async with AsyncClient(behind.addresses.api, await behind.system.admin_key(), max_retries=RETRIES) as client:
        await add_stock(client, unique_name)
        sales = Sales(client, unique_name)
        first_time = asyncio.create_task(sales.sell_all())
        await wait_until(lambda: sales.answered(SALES // 8), what="sales have begun")
        cut_off = await wait_until(lambda: caught(behind.system.ledgers[0], sales), what="sales under way")
        behind.system.ledgers[0].kill()
        await first_time
        answers = dict(sales.answers)
        await sales.sell_all()
        assert {key: sold.operation for key, sold in answers.items()} == {
            key: sold.operation for key, sold in sales.answers.items()
        }, "sold twice"
        assert all(sold.replayed for sold in sales.answers.values())
        left = [level.on_hand async for level in client.levels(unique_name)]
        assert sum(left) == len(SKUS) * STOCK - SALES
    await behind.system.ledgers[0].restart()
    found_done = sum(sold.replayed for sold in answers.values())
    logger.info("%d sales, %d cut off under way, %d of these were done", SALES, len(cut_off), found_done)


async def test_a_head_is_bounded_admin_ports_stay_inside_and_answers_are_not_held_back(behind: LoadBalancer) -> None:
    api, reads = behind.addresses.api, behind.addresses.reads
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        assert (await http.get(f"{api}/readyz", headers={"x": "y" * 20_000})).status_code in (400, 431)
        inside = [("GET", f"{api}/metrics"), ("GET", f"{reads}/metrics"), ("POST", f"{reads}/drain")]
        for method, url in inside:
            assert (await http.request(method, url)).status_code == 404, url
        key = {"Authorization": f"Bearer {await behind.system.admin_key()}"}
        head = (await http.get(f"{api}/v1/events?shard=0&after=0&limit=1", headers=key)).json()["head"]
        began = time.monotonic()
        poll = await http.get(f"{api}/v1/events?shard=0&after={head}&wait=1", headers=key)
        assert (poll.status_code, poll.json()["events"]) == (200, [])
        assert time.monotonic() - began >= 1
        async with asyncio.timeout(PATIENCE_S), http.stream("GET", f"{reads}/v1/levels/stream", headers=key) as stream:
            assert await anext(stream.aiter_bytes())


async def test_people_sign_in_at_the_console_and_see_what_is_sold(behind: LoadBalancer, unique_name: str) -> None:
    """With the settings of compose.yaml: hubs are reached by addresses of their own, people by the proxy's."""
    system, address = behind.system, behind.addresses.console
    settings = {
        "STOCKWIRE_BEHIND_PROXY": "1",
        "STOCKWIRE_TRUSTED_PROXIES": "127.0.0.1",
        "STOCKWIRE_CONSOLE_HUB_URLS": ",".join(system.stream_urls),
        "STOCKWIRE_URL": behind.addresses.api,
    }
    async with (
        AsyncClient(behind.addresses.api, await system.admin_key()) as client,
        running_console(system, hosts=(address,), settings=settings, port=behind.console_port) as itself,
    ):
        console = RunningConsole(itself.console, address, system)
        await add_stock(client, unique_name)

        async def passed_on() -> bool:
            async with console.browser() as http:
                return (await http.get("/api/session")).status_code == 200

        await wait_until(passed_on, what="the gateway has seen the console")
        async with console.signed_in() as http, console.viewer(http) as viewer:
            cookie = next(iter(http.cookies.jar))
            assert not cookie.secure, "a browser would not keep it, since nothing is encrypted here"
            await client.stock.sell(SKUS[0], unique_name)
            await viewer.until("log", lambda log: any(unique_name in str(event) for event in log["events"]))
            await viewer.until("stock", lambda stock: stock["state"] == "live", search=SKUS[0])
            foreign = await http.get("/api/session", headers={"Host": "evil.example"})
            assert foreign.status_code == 421


@asynccontextmanager
async def audience(behind: LoadBalancer, location: str) -> AsyncIterator[tuple[AsyncClient, list[Watcher]]]:
    """A client that sells, and ``CLIENTS`` others with a connection each, half of them on each hub, through the public
    address."""
    key = await behind.system.admin_key()
    async with AsyncClient(behind.addresses.api, key, max_retries=RETRIES) as client:
        await add_stock(client, location)
        for _ in range(SPREADS_MAX):
            async with AsyncExitStack() as stack:
                watchers = []
                for _ in range(CLIENTS):
                    other = await stack.enter_async_context(AsyncClient(behind.addresses.api, key))
                    watchers.append(await stack.enter_async_context(watching(other, location)))
                spread = [await connections(hub) for hub in behind.system.hubs]
                if spread == [CLIENTS // 2, CLIENTS // 2]:
                    yield client, watchers
                    return
    raise AssertionError(f"not spread: {spread}")


async def add_stock(client: AsyncClient, location: str) -> None:
    await client.locations.put(location, location)
    for sku in SKUS:
        await client.items.put(sku, sku)
    await client.operation([Line(sku, location, STOCK, "receipt") for sku in SKUS])


@asynccontextmanager
async def selling(client: AsyncClient, location: str) -> AsyncIterator[None]:
    """One sale after another; none of them may fail."""

    async def sell() -> None:
        while True:
            await client.stock.sell(secrets.choice(SKUS), location)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(sell())
        yield
        task.cancel()


async def moved(watchers: list[Watcher], to: ServerProcess) -> None:
    """Everybody is on ``to``, is fresh, and is shown new sales."""

    async def all_there() -> bool:
        fresh = [watcher.subscription.view.state is State.FRESH for watcher in watchers]
        return all(fresh) and await connections(to) == len(watchers)

    await wait_until(all_there, what=f"everybody on {to.name}")
    changes = [watcher.changes for watcher in watchers]

    async def all_follow() -> bool:
        return all(watcher.changes > before for watcher, before in zip(watchers, changes, strict=True))

    await wait_until(all_follow, what="new sales reach everybody")


async def agreed(client: AsyncClient, location: str, watchers: list[Watcher], how: str, began: float) -> None:
    """Sales pause, so that there is something to agree on. Says how long it all took."""
    moved_s = time.monotonic() - began
    await await_agreement(client, location, watchers)
    equal_s = time.monotonic() - began
    logger.info(
        "%s: %d clients moved in %.2f s, all equal to the ledger at %.2f s", how, len(watchers), moved_s, equal_s
    )


async def newcomers_reach(hub: ServerProcess, behind: LoadBalancer, location: str) -> None:
    """It has no connections, so the next one is its own as soon as the gateway has seen it ready."""
    async with AsyncClient(behind.addresses.api, await behind.system.admin_key()) as newcomer:

        async def reached() -> bool:
            async with watching(newcomer, location):
                return await connections(hub) == 1

        await wait_until(reached, what=f"a new client on {hub.name}")

    async def left() -> bool:
        return await connections(hub) == 0

    await wait_until(left, what="the newcomer has gone")


async def caught(ledger: ServerProcess, sales: "Sales") -> set[str]:
    """Pauses it, and returns what it then holds: committed or not, it will not be answered. Goes on if that is nothing:
    all that was under way may have been answered already, and not read yet."""
    ledger.pause()
    sent = set(sales.under_way)
    more = len(sales.answers) + SALES // 8
    await wait_until(lambda: sales.answered(more), what="sales go on at the other one")
    held = sent & sales.under_way
    if not held:
        ledger.resume()
    return held


class Sales:
    """One unit under each of ``SALES`` keys, ``CALLERS`` at a time."""

    def __init__(self, client: AsyncClient, location: str) -> None:
        self._client = client
        self._location = location
        self.under_way: set[str] = set()
        self.answers: dict[str, OperationResult] = {}

    async def sell_all(self) -> None:
        """Every key once; again, the answers take the place of the earlier ones."""
        upcoming = iter(range(SALES))

        async def caller() -> None:
            for number in upcoming:
                await self._sell(f"{self._location}-{number}", SKUS[number % len(SKUS)])

        async with asyncio.TaskGroup() as tasks:
            for _ in range(CALLERS):
                tasks.create_task(caller())

    async def _sell(self, key: str, sku: str) -> None:
        self.under_way.add(key)
        self.answers[key] = await self._client.stock.sell(sku, self._location, key=key)
        self.under_way.remove(key)

    async def answered(self, number: int) -> bool:
        return len(self.answers) >= number
