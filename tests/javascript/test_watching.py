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
from tests.javascript.watching import node_watching

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
    await client.items.put_many([Item(sku, sku) for sku in SKUS])
    await client.locations.put("berlin", "Berlin")
    await client.operation([receipt(sku, "berlin", 1000) for sku in SKUS])
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
