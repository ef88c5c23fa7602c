"""The JavaScript client in node against real hubs: what it shows is what the ledger has, whatever the network does."""

import asyncio
import contextlib
import random
from urllib.parse import urlsplit

import pytest

from stockwire import AsyncClient, Item, OutOfStock, receipt, sale
from tests.harness.proxy import Proxy, proxy_to
from tests.harness.size import SIZE
from tests.harness.system import System
from tests.javascript.watching import node_tabs, node_watching

CLIENTS = 10
CUTS = SIZE.of(50)
"""Of each client: all of them are cut at once, each somewhere else in what it is told."""
SKUS = [f"S{number:03d}" for number in range(60)]
HANDSHAKE_BYTES = 1_500
TRAFFIC_BYTES = 150_000
"""Of all clients together; a whole snapshot is about 14 KB: most cuts land in traffic, some in a snapshot."""
CHANGES_EACH = 5
PACE_S = 0.025
"""200 changes a second."""

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("processes")]


async def test_a_view_cut_again_and_again_ends_equal_and_no_version_goes_back(
    stockwire_system: System, client: AsyncClient, admin_key: str
) -> None:
    await _open(client)
    stream = urlsplit(stockwire_system.stream_urls[0])
    assert stream.hostname is not None
    assert stream.port is not None
    async with proxy_to(stream.hostname, stream.port) as proxy:
        hubs = [f"ws://127.0.0.1:{proxy.port}{stream.path}"]
        async with node_watching({"hubs": hubs}, admin_key, ["berlin", SKUS], clients=CLIENTS) as node:
            trade = asyncio.create_task(_trade(client))
            try:
                await _cut_again_and_again(proxy)
            finally:
                trade.cancel()
                await asyncio.wait([trade])
            proxy.heal()
            levels = await asyncio.gather(*(client.stock.get(sku, "berlin") for sku in SKUS))
            versions = {level.sku: level.version for level in levels}
            seen = await node.agreement(versions)
    assert seen["back"] == []
    assert seen["states"] == ["live"] * CLIENTS
    assert seen["held"] == [versions] * CLIENTS
    assert seen["connections"] > 0.5 * CLIENTS * CUTS, "hardly any cut was felt"


@pytest.mark.parametrize("options", [{}, {"view": "public"}], ids=["levels", "public"])
async def test_where_websockets_are_blocked_the_event_stream_brings_the_same(
    stockwire_system: System, client: AsyncClient, admin_key: str, options: dict[str, str]
) -> None:
    await _open(client)
    url = stockwire_system.ledger_url
    async with node_watching({"url": url}, admin_key, ["berlin", SKUS, options], blocked=1006) as node:
        await client.operation([sale(sku, "berlin", 995) for sku in SKUS])
        seen = await node.agreement(dict.fromkeys(SKUS, 2))
        assert seen["states"] == ["live"]
        await stockwire_system.hubs[0].stop()
        await client.operation([sale(sku, "berlin", 5) for sku in SKUS])
        seen = await node.agreement(dict.fromkeys(SKUS, 3))
    assert (seen["states"], seen["back"]) == (["live"], [])


async def test_tabs_share_one_connection_and_when_its_tab_ends_another_goes_on_with_it(
    stockwire_system: System, client: AsyncClient, admin_key: str
) -> None:
    await _open(client)
    first, second = SKUS[:40], SKUS[20:]
    watch: list[list[list[object]]] = [[["berlin", first]], [["berlin", second]], [["berlin", None]]]
    wanted: list[dict[str, int] | None] = [dict.fromkeys(skus, 1) for skus in (first, second, SKUS)]
    async with node_tabs({"url": stockwire_system.ledger_url}, admin_key, *watch) as node:
        for version in (1, 2, 3):
            told = (await node.ask({"await": wanted}))["tabs"]
            living = [tab for tab in told if tab]
            assert [tab["held"] for tab in living] == [versions for versions in wanted if versions is not None]
            assert sum(tab["open"] for tab in living) == 1, "one connection for all of them"
            if version < 3:
                ended = (await node.ask({"end": True}))["ended"]
                await client.operation([sale(sku, "berlin", 1) for sku in SKUS])
                wanted = [versions and dict.fromkeys(versions, version + 1) for versions in wanted]
                wanted[ended] = None


async def _open(client: AsyncClient) -> None:
    await client.items.put_many([Item(sku, sku) for sku in SKUS])
    await client.locations.put("berlin", "Berlin")
    await client.operation([receipt(sku, "berlin", 1000) for sku in SKUS])


async def _cut_again_and_again(proxy: Proxy) -> None:
    for _ in range(CUTS):
        bytes_max = HANDSHAKE_BYTES if random.random() < 0.15 else TRAFFIC_BYTES
        proxy.down.reset_after(random.randint(1, bytes_max))
        await proxy.was_reset("down")


async def _trade(client: AsyncClient) -> None:
    while True:
        lines = [random.choice((sale, receipt))(sku, "berlin", 1) for sku in random.sample(SKUS, CHANGES_EACH)]
        with contextlib.suppress(OutOfStock):
            await client.operation(lines)
        await asyncio.sleep(PACE_S)
