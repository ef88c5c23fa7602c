"""Plain HTTP to each ledger replica, without the client's retries: what was asked is what was sent."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S, POLL_S


@asynccontextmanager
async def replicas(system: ProcessSystem) -> AsyncIterator[list[httpx.AsyncClient]]:
    """One client for each ledger of ``system``, with the admin key."""
    headers = {"Authorization": f"Bearer {await system.admin_key()}"}
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S, trust_env=False)
            )
            for url in system.ledger_urls
        ]


async def move(replica: httpx.AsyncClient, key: str, *lines: dict[str, object]) -> httpx.Response:
    body = lines[0] if len(lines) == 1 else {"lines": list(lines)}
    return await replica.post("/v1/movements", json=body, headers={"Idempotency-Key": key})


async def settled(replica: httpx.AsyncClient, key: str, *lines: dict[str, object]) -> tuple[httpx.Response, bool]:
    """As ``move``, under the same key again while the answer is "later". Returns the last, and if it was sent again."""
    deadline, again = time.monotonic() + PATIENCE_S, False
    while later(answer := await move(replica, key, *lines)):
        assert time.monotonic() < deadline, f"not settled within {PATIENCE_S:g} s: {answer.text}"
        again = True
        await asyncio.sleep(POLL_S)
    return answer, again


def later(answer: httpx.Response) -> bool:
    """Nothing was decided, or it is not known: rows or the key were held by somebody else for too long."""
    in_flight = answer.status_code == 409 and answer.json()["type"] == "idempotency-in-flight"
    return in_flight or answer.status_code == 503


def line(sku: str, quantity: int, location: str = "berlin") -> dict[str, object]:
    return {"sku": sku, "location": location, "quantity": quantity, "kind": "receipt" if quantity > 0 else "sale"}


async def add_catalog(replica: httpx.AsyncClient, skus: list[str], locations: list[str]) -> None:
    for sku in skus:
        (await replica.put(f"/v1/items/{sku}", json={"name": sku})).raise_for_status()
    for location in locations:
        (await replica.put(f"/v1/locations/{location}", json={"name": location})).raise_for_status()


async def metric(system: ProcessSystem, name: str) -> float:
    """The sum of one metric over all ledgers, as their admin ports give it."""
    total = 0.0
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE_S) as http:
        for ledger in system.ledgers:
            text = (await http.get(f"{ledger.admin}/metrics")).text
            values = [
                float(row.rsplit(" ", 1)[1]) for row in text.splitlines() if row.startswith((name + " ", name + "{"))
            ]
            assert values, f"{name} is not among the metrics"
            total += sum(values)
    return total
