"""The ledger's HTTP API for tests: every answer is held to wire/openapi.yaml as it comes in."""

import secrets
from types import TracebackType
from typing import Any

import httpx

from tests.harness.openapi import document
from tests.harness.waiting import PATIENCE_S

LEDGER = document("openapi.yaml")


class Api:
    """A client of one ledger, as one caller."""

    def __init__(self, url: str, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.client = httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S)

    async def __aenter__(self) -> "Api":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    async def send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        answer = await self.client.request(method, path, **arguments)
        LEDGER.check_answer(answer)
        return answer

    async def get(self, path: str, **arguments: Any) -> httpx.Response:
        return await self.send("GET", path, **arguments)

    async def post(self, path: str, body: Any, **arguments: Any) -> httpx.Response:
        return await self.send("POST", path, json=body, **arguments)

    async def put(self, path: str, body: Any, **arguments: Any) -> httpx.Response:
        return await self.send("PUT", path, json=body, **arguments)

    async def move(self, body: Any, key: str | None = None) -> httpx.Response:
        """With a new Idempotency-Key unless one is given."""
        return await self.post("/v1/movements", body, headers={"Idempotency-Key": key or secrets.token_hex(8)})

    async def count(self, location: str, sku: str, body: Any, **headers: str) -> httpx.Response:
        keyed = {"Idempotency-Key": secrets.token_hex(8), **{k.replace("_", "-"): v for k, v in headers.items()}}
        return await self.put(f"/v1/levels/{location}/{sku}", body, headers=keyed)

    async def stock(self, location: str, sku: str, on_hand: int = 0) -> None:
        """Make the item and the location, and receive ``on_hand`` units."""
        assert (await self.put(f"/v1/items/{sku}", {"name": sku})).is_success
        assert (await self.put(f"/v1/locations/{location}", {"name": location})).is_success
        if on_hand:
            assert (await self.move(receipt(location, sku, on_hand))).is_success


def receipt(location: str, sku: str, quantity: int) -> dict[str, Any]:
    return {"sku": sku, "location": location, "quantity": quantity, "kind": "receipt"}


def sale(location: str, sku: str, quantity: int = -1, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "location": location, "quantity": quantity, "kind": "sale", **more}


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


def field(answer: httpx.Response) -> tuple[int, str]:
    """Status and field of an ``invalid``."""
    assert answer.json()["type"] == "invalid", answer.text
    return answer.status_code, answer.json()["field"]
