"""Shopify's own client against the strict server: what it reads, and every kind of error that it knows."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.channels.shared.starting import Market, market
from tests.channels.shopify.access import STATIC_TOKEN
from tests.channels.shopify.asking import LOCATION, SET, quantity
from tests.channels.shopify.schema import VERSION
from tests.harness.node import run_node
from tests.harness.node_peers import need_node_peer
from tests.harness.source import ROOT

pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.asyncio(loop_scope="module")]
SCRIPT = ROOT / "tests" / "channels" / "shopify" / "client.mjs"
LEVEL = f"""query Level($item: ID!) {{ inventoryItem(id: $item) {{
  sku inventoryLevel(locationId: "{LOCATION}") {{ quantities(names: ["available"]) {{ quantity }} }} }} }}"""
SHOP = "{ shop { name } }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(processes: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Market]:
    need_node_peer("shopify")
    async with market("shopify", tmp_path_factory.mktemp("shopify")) as shop:
        await shop.offer("1", 5, sku="MUG")
        yield shop


def ask(shop: Market, *questions: dict[str, Any]) -> list[dict[str, Any]]:
    asked = json.dumps([{"token": STATIC_TOKEN, **one} for one in questions])
    answers = run_node(SCRIPT, need_node_peer("shopify"), shop.url, VERSION, asked)
    return list(json.loads(answers))


def message_of(answer: dict[str, Any]) -> str:
    return str(answer["errors"]["message"]).removeprefix("GraphQL Client: ")


async def test_it_reads_sets_and_is_refused(shop: Market) -> None:
    asked = {"name": "available", "reason": "correction", "quantities": [quantity("1", 7, 5)]}
    read, changed, again, raw = ask(
        shop,
        {"operation": LEVEL, "variables": {"item": "gid://shopify/InventoryItem/1"}},
        {"operation": SET, "variables": {"input": asked, "key": "a"}},
        {"operation": SET, "variables": {"input": asked, "key": "b"}},
        {"operation": SHOP, "raw": True},
    )
    assert read["data"]["inventoryItem"] == {"sku": "MUG", "inventoryLevel": {"quantities": [{"quantity": 5}]}}
    assert read["extensions"]["cost"]["throttleStatus"]["maximumAvailable"] == 2000
    assert changed["data"]["inventorySetQuantities"]["userErrors"] == []
    (stale,) = again["data"]["inventorySetQuantities"]["userErrors"]
    assert stale["code"] == "CHANGE_FROM_QUANTITY_STALE"
    assert "errors" not in again, "to the client, what a mutation refuses is an answer"
    assert (raw["status"], raw["body"]["data"]) == (200, {"shop": {"name": "Tests"}})
    assert (await shop.truth())["levels"] == {"1": 7}


async def test_it_tells_what_is_wrong_with_a_question(shop: Market) -> None:
    field, version, token = ask(
        shop,
        {"operation": "{ shop { nme } }"},
        {"operation": SHOP, "apiVersion": "2026-07"},
        {"operation": SHOP, "token": "shpat_of_somebody_else"},
    )
    (unknown,) = field["errors"]["graphQLErrors"]
    assert unknown["extensions"] == {"code": "undefinedField", "typeName": "Shop", "fieldName": "nme"}
    assert (version["errors"]["networkStatusCode"], message_of(version)) == (404, "Not Found")
    assert (token["errors"]["networkStatusCode"], message_of(token)) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("faults", "status", "message"),
    [
        ({"throttled": True}, 200, "Review 'graphQLErrors' for details"),
        ({"token_revoked": True}, 401, "Unauthorized"),
        ({"down": "html"}, 200, "unexpected Content-Type"),
        ({"down": "errors_in_200"}, 200, "Review 'graphQLErrors' for details"),
        ({"down": "refuses"}, None, "fetch failed"),
    ],
)
async def test_it_tells_what_is_wrong_with_the_shop(
    shop: Market, faults: dict[str, Any], status: int | None, message: str
) -> None:
    await shop.faults(**faults)
    try:
        (answer,) = ask(shop, {"operation": SHOP})
    finally:
        await shop.faults()
    assert answer["errors"].get("networkStatusCode") == status
    assert message in message_of(answer)
