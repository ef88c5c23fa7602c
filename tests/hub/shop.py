"""A few commands to a ledger, to give hubs something to tell."""

import asyncio
import secrets
from typing import Any

import httpx

from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

Level = dict[str, Any]


class Shop:
    """``count`` goes up with each command, so that every one has a key of its own, also beside another shop."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._name = f"shop-{secrets.token_hex(4)}"
        self._count = 0

    async def open(self, location: str, *skus: str, on_hand: int = 0) -> None:
        """Make the location and the items, with opening stock."""
        await self._ok("PUT", f"/v1/locations/{location}", {"name": location})
        for start in range(0, len(skus), 20):
            some = skus[start : start + 20]
            await asyncio.gather(*(self._ok("PUT", f"/v1/items/{sku}", {"name": sku}) for sku in some))
        if on_hand:
            lines = [{"sku": sku, "location": location, "quantity": on_hand, "kind": "receipt"} for sku in skus]
            for start in range(0, len(lines), 1_000):
                await self._ok("POST", "/v1/movements", {"lines": lines[start : start + 1_000]})

    async def sell(self, location: str, sku: str, quantity: int = 1) -> Level:
        """Returns the level as the ledger has committed it."""
        body = {"sku": sku, "location": location, "quantity": -quantity, "kind": "sale"}
        level: Level = (await self._ok("POST", "/v1/movements", body))["levels"][0]
        return level

    async def receive(self, location: str, sku: str, quantity: int) -> Level:
        body = {"sku": sku, "location": location, "quantity": quantity, "kind": "receipt"}
        level: Level = (await self._ok("POST", "/v1/movements", body))["levels"][0]
        return level

    async def revoke(self, key: str) -> None:
        await self._ok("DELETE", f"/v1/keys/{key.split('_')[1]}", None)

    async def level(self, location: str, sku: str) -> Level:
        level: Level = await self._ok("GET", f"/v1/levels/{location}/{sku}", None)
        return level

    async def _ok(self, method: str, path: str, body: Any) -> Any:
        self._count += 1
        headers = {"Authorization": f"Bearer {await self._system.admin_key()}"}
        if method == "POST":
            headers["Idempotency-Key"] = f"{self._name}-{self._count}"
        # no TLS here: without certificates to load, a client is cheap enough for one request
        async with httpx.AsyncClient(
            trust_env=False,
            verify=False,
            headers=headers,
            timeout=PATIENCE_S,
        ) as client:
            answer = await client.request(method, self._system.ledger_url + path, json=body)
            assert answer.status_code < 300, answer.text
            return answer.json() if answer.content else None
