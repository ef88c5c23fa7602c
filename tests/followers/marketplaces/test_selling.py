"""`stockwire channels` as a whole, beside a ledger and Shopify's strict server: stock goes out, orders come in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from followers.database.database import Database
from tests.channels.shared.starting import Market, market
from tests.channels.shopify.access import CLIENT_ID, CLIENT_SECRET
from tests.channels.shopify.shop import MAIN
from tests.followers.marketplaces.selling_at import LOCATION, SCOPES_OF_PROCESS, Seller, offered
from tests.followers.running import channels_of
from tests.harness.node_peers import need_node_peer
from tests.harness.processes import ServerProcess
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, sale

LISTINGS = {"101": "A", "102": "B", "103": "C"}


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop at Shopify, its channel, and the process that serves it."""

    api: Api
    market: Market
    seller: Seller
    channels: ServerProcess


@pytest.fixture
async def shop(process_system: ProcessSystem, database: Database, tmp_path: Path) -> AsyncIterator[Shop]:
    need_node_peer("shopify")
    await process_system.start(hubs=0)
    seller = Seller(process_system, database)
    more: dict[str, Any] = {
        "STOCKWIRE_CHANNELS_KEY": await process_system.key("channels", *SCOPES_OF_PROCESS),
        "STOCKWIRE_CHANNELS_POLL_EVERY_S": 2,
    }
    async with (
        market("shopify", tmp_path, "--pace", "20") as there,
        Api(process_system.ledger_url, await process_system.admin_key()) as api,
        channels_of(process_system, **more) as channels,
    ):
        for remote, sku in LISTINGS.items():
            await there.offer(remote, 3, sku=sku)
            await api.stock(LOCATION, sku, 10)
        settings = {"shop": there.url, "location": MAIN, "client_id": CLIENT_ID}
        await seller.channel("web", "shopify", settings, {"secret": CLIENT_SECRET}, LISTINGS, buffer=1)
        yield Shop(api, there, seller, channels)


async def test_what_changes_here_is_offered_there_and_what_is_sold_there_is_booked_here(shop: Shop) -> None:
    await shop.channels.start()
    await offered(shop.market, {"101": 9, "102": 9, "103": 9})
    assert (await shop.api.move(sale(LOCATION, "A", -4))).is_success
    await offered(shop.market, {"101": 5, "102": 9, "103": 9})
    assert (await shop.api.move(sale(LOCATION, "B", -10))).is_success
    await offered(shop.market, {"102": 0})
    await shop.market.sell("103", 2)
    await offered(shop.market, {"103": 7})

    async def booked() -> bool:
        return bool((await shop.api.get(f"/v1/levels/{LOCATION}/C")).json()["available"] == 8)

    await wait_until(booked)
    await offered(shop.market, {"101": 5, "102": 0, "103": 7})


async def test_what_was_set_by_hand_there_is_found_accepted_and_mended(shop: Shop) -> None:
    await shop.channels.start()
    await offered(shop.market, {"101": 9, "102": 9, "103": 9})
    await shop.market.set("101", 4)
    headers = {"Authorization": f"Bearer {await shop.seller.system.admin_key()}"}
    base = f"{shop.channels.ready['url']}/v1/channels/web"
    async with httpx.AsyncClient(base_url=base, headers=headers) as owner:

        async def drift() -> list[dict[str, Any]]:
            """Of a run: one that meets our own push says nothing of that listing."""
            run = (await owner.post("/reconciliations", json={})).raise_for_status().json()

            async def ended() -> bool:
                return (await owner.get(f"/reconciliations/{run['id']}")).json()["ended_at"] is not None

            await wait_until(ended)
            return list((await owner.get("/drift")).json()["drift"])

        (found,) = await wait_until(drift)
        assert (found["class"], found["listing"], found["sku"], found["repair"]) == ("quantity", "101", "A", "push")
        assert (found["ours"], found["theirs"]) == (9, 4)
        accepted = await owner.post("/drift", json={"how": "accept", "class": "quantity", "why": "set by hand"})
        assert accepted.json() == {"ids": [found["id"]]}
    await offered(shop.market, {"101": 9, "102": 9, "103": 9})
