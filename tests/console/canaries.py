"""A shop in whose every word somebody has put something: text that would act, mislead or hide if a page let it."""

from stockwire import AsyncClient, Item, held, receipt, sale
from stockwire.errors import OutOfStock
from tests.harness.system import ResidentSystem, System

STRUCK = "window.struck=1"
CANARIES = (
    f"<img src=x onerror={STRUCK}>",
    f"javascript:{STRUCK}",
    "\u202eDETREVNI\u202c",
    f"\"'><script>{STRUCK}</script>",
    "a\u200bb\u2066c\u2069",
)
"""As names of items and locations, reasons, references, customers, owners, nodes."""
NAMES = (
    "<img><iframe><b>",
    f"javascript:{STRUCK}",
    "\u202eDETREVNI\u202c",
    f"'\"><script>{STRUCK}",
    "..%2E&sku=x#'",
)
"""As skus and locations, which may hold no blank and no slash."""
PLACE, OTHER = NAMES[0], NAMES[4]
MANY = 300
"""Of ordinary skus: several screens full."""


async def start(system: ResidentSystem) -> None:
    """One ledger and two hubs, of which the first has a canary for a name."""
    system.plan_hubs(2)
    await system.start_ledger()
    await system.start_hub(STOCKWIRE_HUB_NODE=CANARIES[0])
    await system.start_hub()
    await system.await_fresh()
    await fill(system)


async def worker_key(system: System) -> str:
    """Of somebody whose name is a canary too, and who may do everything."""
    return await system.key(CANARIES[0], "admin", "feed", "stock:read:*", "stock:write:*")


async def sell(system: System) -> None:
    """One of each canary: pages that show what is on sale look back a minute."""
    async with AsyncClient(system.ledger_url, await worker_key(system)) as client:
        await client.operation([sale(sku, PLACE, 1, reference=CANARIES[1]) for sku in NAMES])


async def fill(system: System) -> None:
    """Every kind of row that the console's pages have, at least once."""
    async with AsyncClient(system.ledger_url, await worker_key(system)) as client:
        for location, name in zip((PLACE, OTHER), CANARIES, strict=False):
            await client.locations.put(location, name)
        many = [f"SKU-{number:06}" for number in range(MANY)]
        named = dict(zip(NAMES, CANARIES, strict=True)) | {sku: f"Enamel mug no. {sku}" for sku in many}
        await client.items.put_many(Item(sku, name) for sku, name in named.items())
        await client.operation([receipt(sku, PLACE, 20, reason=CANARIES[3]) for sku in named])
        for sku, reason in zip(NAMES, CANARIES, strict=True):
            await client.stock.receive(sku, OTHER, 5, reason=reason, reference=reason)
            await client.stock.write_off(sku, OTHER, 1, reason=reason)
        baskets = [
            await client.reservations.reserve(
                [held(sku, PLACE) for sku in NAMES], customer=word, reference=word, ttl_s=3_600
            )
            for word in CANARIES
        ]
        await client.reservations.commit(baskets[0].id)
        await client.stock.sell(NAMES[1], OTHER, 4)
        for sku in NAMES:
            try:
                await client.stock.sell(sku, OTHER, 1_000, reason=CANARIES[0])
            except OutOfStock:
                continue
