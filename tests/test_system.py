"""The shortest path through everything: a sale is committed, and every watcher on every hub sees it.

``make check`` runs this beside what is pure: one path through real processes.
"""

from stockwire import AsyncClient
from tests.harness.shown import shown_by_hubs
from tests.harness.stream import open_stream
from tests.harness.system import ProcessSystem, System


async def test_a_sale_reaches_watchers_on_both_hubs(process_system: ProcessSystem) -> None:
    system = await process_system.start(ledgers=1, hubs=2)
    async with AsyncClient(system.ledger_url, await system.admin_key()) as client:
        await sell_one_under_watch(system, client)


async def sell_one_under_watch(system: System, client: AsyncClient) -> None:
    sku, location = "shoe", "shop"
    await client.items.put(sku, "a shoe")
    await client.locations.put(location, "a shop")
    received = await client.stock.receive(sku, location, 10)
    await shown_by_hubs(system, location, sku, received.level.version)
    token = await system.key("watcher", f"stock:read:{location}")
    first, second = system.stream_urls
    async with open_stream(first, token) as one, open_stream(second, token) as other:
        for stream in (one, other):
            _, snapshot = await stream.subscribe(location, [sku])
            assert [level["on_hand"] for level in snapshot["levels"]] == [10]
        sold = (await client.stock.sell(sku, location)).level
        for stream in (one, other):
            level = await stream.expect("level", sku=sku, version=sold.version)
            assert (level["on_hand"], level["available"], level["kind"]) == (9, 9, "sale")


async def test_the_clients_view_follows(shared_client: AsyncClient, unique_name: str) -> None:
    sku = location = unique_name
    await shared_client.items.put(sku, "a shoe")
    await shared_client.locations.put(location, "a shop")
    async with shared_client.subscribe(location) as subscription:
        assert len(await subscription.ready()) == 0
        await shared_client.stock.receive(sku, location, 3)
        async for _ in subscription:
            if (location, sku) in subscription.view:
                break
        assert subscription.view[location, sku].available == 3
