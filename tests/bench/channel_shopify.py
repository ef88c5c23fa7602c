"""How near a channel comes to what its quota allows: all listings of a shop at Shopify change at once."""

import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from followers.database.database import Database
from followers.database.schema import expand
from followers.marketplaces.shopify import documents, quantities
from followers.marketplaces.shopify.admin_api import POINTS, VERSION
from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.server import cpu_s
from tests.bench.shop import LOCATION, Shop
from tests.channels.shared.starting import Market, market
from tests.channels.shopify.access import CLIENT_ID, CLIENT_SECRET, STATIC_TOKEN
from tests.channels.shopify.bucket import PER_S
from tests.channels.shopify.shop import MAIN
from tests.followers.marketplaces.selling_at import SCOPES_OF_PROCESS, Seller, offered
from tests.followers.running import LOOPBACK, SEALING_KEY
from tests.harness.node_peers import is_installed
from tests.harness.processes import ServerProcess, channels_process
from tests.harness.waiting import wait_until

LISTINGS = int(os.environ.get("CHANNEL_LISTINGS", "10000"))
"""Fewer try the row."""
PACE = float(os.environ.get("CHANNEL_PACE", "0.08"))
"""Of the quota: what takes five seconds at Shopify takes a minute here, and two cores hold the load beside it."""
KEPT = POINTS.burst * POINTS.kept
"""Points that pushes leave to orders and zeros."""
SPARE = 30.0
"""Points above that which are left for one push: it shows the process how few there are."""
STOCK = 1_000
"""Units of each listing, before one of each is sold."""
LINES, ITEMS = 500, 1_000
"""Of one request to the ledger."""
DEADLINE_S = 600.0
SET = "inventorySetQuantities"


@dataclass(frozen=True, slots=True)
class Selling:
    """``name``: of the channel. ``listings``: sku by listing's id."""

    shop: Shop
    market: Market
    channels: ServerProcess
    name: str
    listings: dict[str, str]


async def channel_shopify(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        f"{LISTINGS:,} changed listings to Shopify",
        "s",
        "lower",
        "from the first change in the ledger until the strict server offers all, its bucket spent but for what is kept",
        "points of the calls, 250 listings each, at the rate at which they come back",
        target=1.15,
    )
    if not is_installed("shopify"):
        row.missing = "the schema that Shopify ships: make peers"
        return [row]
    for _ in range(rounds):
        async with _selling(shop) as selling:
            took_s, least_s = await _pushed(selling, row)
        row.ours.append(took_s)
        row.bare.append(least_s)
    return [row]


@asynccontextmanager
async def _selling(shop: Shop) -> AsyncIterator[Selling]:
    """A channel all of whose listings offer what they shall."""
    name = f"bench-{secrets.token_hex(4)}"
    listings = {str(number): f"{name}-{number:05}" for number in range(1, LISTINGS + 1)}
    settings = {
        "STOCKWIRE_URL": shop.system.ledger_url,
        "STOCKWIRE_CHANNELS_KEY": await shop.system.key("channels", *SCOPES_OF_PROCESS),
        "STOCKWIRE_DATABASE_URL": shop.system.database_url,
        "STOCKWIRE_WEBHOOKS_SEALING_KEYS": SEALING_KEY,
        "STOCKWIRE_WEBHOOKS_NETWORKS": LOOPBACK,
    }
    channels = channels_process("channels", shop.system.folder, settings)
    with tempfile.TemporaryDirectory(prefix="shopify-", dir="/tmp") as folder:
        async with (
            market("shopify", Path(folder), "--pace", str(PACE)) as there,
            Database(shop.system.database_url) as database,
            shop.http() as http,
        ):
            try:
                await expand(database)
                skus = list(listings.values())
                for at in range(0, LISTINGS, ITEMS):
                    await stock(http, skus[at : at + ITEMS], STOCK)
                for remote, sku in listings.items():
                    await there.offer(remote, STOCK, sku=sku)
                selling = Selling(shop, there, channels, name, listings)
                await _add(selling, database)
                await channels.start()
                await _begun(name, database)
                yield selling
                channels.check_log()
            finally:
                async with database.transaction() as connection:
                    await connection.execute("delete from channel where id = $1", name)
                await channels.stop()


async def _add(selling: Selling, database: Database) -> None:
    """What the channel has and offers is known from before."""
    settings = {"shop": selling.market.url, "location": MAIN, "client_id": CLIENT_ID}
    seller = Seller(selling.shop.system, database)
    await seller.channel(selling.name, "shopify", settings, {"secret": CLIENT_SECRET}, {})
    async with database.transaction() as connection:
        await connection.execute(
            "insert into mapping (channel, remote, sku, by)"
            " select $1, l.remote, l.sku, 'bench' from unnest($2::text[], $3::text[]) as l(remote, sku)",
            *(selling.name, list(selling.listings), list(selling.listings.values())),
        )
        await connection.execute(
            "insert into outgoing (channel, remote, state, sent_quantity)"
            " select channel, remote, 'rest', $2 from mapping where channel = $1",
            *(selling.name, STOCK),
        )
        await connection.execute("update channel set listings_read_at = now() where id = $1", selling.name)


async def _begun(channel: str, database: Database) -> None:
    """Until it was checked, and its orders were polled once."""

    async def begun() -> bool:
        async with database.transaction() as connection:
            found = await connection.fetchval(
                "select true from channel c join channel_poll p on p.channel = c.id"
                " where c.id = $1 and c.checked_at is not null and p.ended_at is not null",
                channel,
            )
        return bool(found)

    await wait_until(begun, DEADLINE_S)


async def _pushed(selling: Selling, row: Row) -> tuple[float, float]:
    """Seconds that it took, and that it had to take."""
    lone, sku = next(iter(selling.listings.items()))
    calls = -(-LISTINGS // documents.BATCH)
    async with selling.shop.http() as http, _admin_api(selling.market) as api:
        await _drain(api, list(selling.listings))
        await _sell(http, [sku])
        await offered(selling.market, {lone: STOCK - 1}, DEADLINE_S)
        left, before = await _read(api, [lone]), await selling.market.counts()
        used_s, began_s = cpu_s(selling.channels.pid), time.monotonic()
        await _sell(http, list(selling.listings.values()))
        await _called(selling.market, before["requests"][SET] + calls)
        await offered(selling.market, dict.fromkeys(selling.listings, STOCK - 1) | {lone: STOCK - 2}, DEADLINE_S)
        took_s, after = time.monotonic() - began_s, await selling.market.counts()
    row.notes["calls"] = f"{after['requests'][SET] - before['requests'][SET]}, at least {calls}"
    row.notes["throttled"] = str(after["throttled"] - before["throttled"])
    row.notes["CPU of the process"] = f"{cpu_s(selling.channels.pid) - used_s:.1f} s"
    return took_s, (calls * documents.SET.cost - (left - KEPT)) / (PER_S * PACE)


async def _called(there: Market, times: int) -> None:
    """Until so many calls were made, which is asked for at less cost than all that is offered."""

    async def made() -> bool:
        return bool((await there.counts())["requests"][SET] >= times)

    await wait_until(made, DEADLINE_S)


async def _sell(http: httpx.AsyncClient, skus: Sequence[str]) -> None:
    """One of each."""
    for at in range(0, len(skus), LINES):
        lines = [{"sku": sku, "location": LOCATION, "quantity": -1, "kind": "sale"} for sku in skus[at : at + LINES]]
        headers = {"Idempotency-Key": secrets.token_hex(12)}
        (await http.post("/v1/movements", json={"lines": lines}, headers=headers)).raise_for_status()


def _admin_api(there: Market) -> httpx.AsyncClient:
    headers = {"x-shopify-access-token": STATIC_TOKEN}
    url = f"{there.url}/admin/api/{VERSION}"
    return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=30)


async def _drain(api: httpx.AsyncClient, listings: Sequence[str]) -> None:
    """Until little more than ``KEPT`` is left."""
    left = await _read(api, listings[:1])
    while (count := int((left - KEPT - SPARE) / documents.READ.cost)) > 0:
        left = await _read(api, listings[: min(count, documents.READ_AT_ONCE)])


async def _read(api: httpx.AsyncClient, listings: Sequence[str]) -> float:
    """Reads so many, and returns the points that are left."""
    ids = [quantities.ITEM + remote for remote in listings]
    variables = {"location": quantities.LOCATION + MAIN, "ids": ids}
    answer = await api.post("/graphql.json", json={"query": documents.READ.text, "variables": variables})
    status: dict[str, Any] = answer.raise_for_status().json()["extensions"]["cost"]["throttleStatus"]
    return float(status["currentlyAvailable"])
