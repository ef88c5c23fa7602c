"""wire/vectors/reservations.json against a ledger: it answers each step as the contract says."""

from typing import Any

import httpx

from stockwire import AsyncClient, receipt
from tests.conftest import StartLedger
from tests.harness.system import System
from tests.harness.waiting import wait_until
from tests.ledger.api import Api
from tests.wire.vectors import load

OWN = ("created_at", "expires_at", "committed_at", "shard", "seq", "reason")
"""Of whoever answers: only whether there is one counts."""


async def test_a_ledger_answers_as_the_vectors_say(start_ledger: StartLedger, system: System) -> None:
    ledger = await start_ledger()
    key = await system.key("shop", "admin", "stock:read:*", "stock:write:*")
    vectors = load("reservations.json")["vectors"]
    async with AsyncClient(ledger.url, key) as client, Api(ledger.url, key) as api:
        for sku, location, units in (stocked for vector in vectors for stocked in vector["stock"]):
            await client.items.put(sku, sku)
            await client.locations.put(location, location)
            await client.operation([receipt(sku, location, units)])
        for vector in vectors:
            for number, step in enumerate(vector["steps"]):
                where = f"{vector['name']}, step {number}"
                answer = await (stands(api, step) if "when" in step else asked(api, step))
                assert answer.status_code == step["status"], (where, answer.text)
                assert (answer.headers.get("idempotency-replayed") == "true") == step.get("replayed", False), where
                expected = in_order(step["answer"])
                assert own(said(in_order(answer.json()), expected)) == own(expected), where


async def asked(api: Api, step: dict[str, Any]) -> httpx.Response:
    headers = {"Idempotency-Key": step["key"]} if "key" in step else {}
    return await api.send(step["method"], step["path"], json=step.get("body"), headers=headers)


async def stands(api: Api, step: dict[str, Any]) -> httpx.Response:
    async def there() -> httpx.Response | None:
        answer = await asked(api, step)
        return answer if answer.json()["state"] == step["when"] else None

    found = await wait_until(there)
    assert found is not None
    return found


def in_order(answer: dict[str, Any]) -> dict[str, Any]:
    """Levels stand in the order of their shards, which a ledger chooses."""
    levels = sorted(answer.get("levels", ()), key=lambda level: (level["location"], level["sku"]))
    return {**answer, "levels": levels} if levels else answer


def said(answer: Any, expected: Any) -> Any:
    """Of the answer what the vector speaks of."""
    if isinstance(expected, dict):
        return {name: said(answer.get(name), value) for name, value in expected.items()}
    if isinstance(expected, list) and isinstance(answer, list) and len(answer) == len(expected):
        return [said(one, value) for one, value in zip(answer, expected, strict=True)]
    return answer


def own(value: Any) -> Any:
    """With what is of whoever answers as whether there is one."""
    if isinstance(value, dict):
        return {name: one is not None if name in OWN else own(one) for name, one in value.items()}
    return [own(one) for one in value] if isinstance(value, list) else value
