"""A shop within the test's own process, and whoever asks it over HTTP."""

from typing import Any

import httpx

from tests.channels.shopify.access import STATIC_TOKEN
from tests.channels.shopify.app import PATH
from tests.channels.shopify.gids import gid
from tests.channels.shopify.marketplace import Shopify
from tests.channels.shopify.shop import MAIN
from tests.harness.waiting import PATIENCE_S

SET = """mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { changes { name delta item { id } location { id } } }
    userErrors { code field message }
  }
}"""
LOCATION = gid("Location", MAIN)


class Asking:
    def __init__(self, shop: Shopify, token: str = STATIC_TOKEN) -> None:
        self.shop = shop
        self.token = token
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=shop.api), base_url="http://shop", timeout=PATIENCE_S
        )

    async def post(self, path: str = PATH, **request: Any) -> httpx.Response:
        headers = {"x-shopify-access-token": self.token, **request.pop("headers", {})}
        return await self._client.post(path, headers=headers, **request)

    async def ask(self, text: str, **variables: object) -> dict[str, Any]:
        answer = await self.post(json={"query": text, "variables": variables})
        assert answer.status_code == 200
        return dict(answer.json())

    async def code(self, text: str, **variables: object) -> str:
        """Of the error by which all of it was refused."""
        return str((await self.ask(text, **variables))["errors"][0]["extensions"]["code"])

    async def set(self, key: str, *quantities: dict[str, Any], **more: object) -> dict[str, Any]:
        """The payload of inventorySetQuantities."""
        asked = {"name": "available", "reason": "correction", "quantities": quantities, **more}
        return dict((await self.ask(SET, input=asked, key=key))["data"]["inventorySetQuantities"])

    async def codes(self, key: str, *quantities: dict[str, Any], **more: object) -> list[str]:
        return [one["code"] for one in (await self.set(key, *quantities, **more))["userErrors"]]


def quantity(item: str, to: int, change_from: int | None = None, location: str = LOCATION) -> dict[str, Any]:
    return {
        "inventoryItemId": gid("InventoryItem", item),
        "locationId": location,
        "quantity": to,
        "changeFromQuantity": change_from,
    }
