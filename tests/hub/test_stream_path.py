"""The path on real processes: what the ledger commits reaches who watches it, once, in step and only if allowed."""

import httpx

from tests.api_keys import make_token
from tests.conftest import StartSystem
from tests.stream import open_stream
from tests.system import System


async def sell(system: System, sku: str, location: str, quantity: int, key: str) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {await system.admin_key()}", "Idempotency-Key": key}
    kind = "receipt" if quantity > 0 else "sale"
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
        body = {"sku": sku, "location": location, "quantity": quantity, "kind": kind}
        answer = await client.post(f"{system.ledger_url}/v1/movements", json=body)
        assert answer.status_code == 201, answer.text
        levels: list[dict[str, object]] = answer.json()["levels"]
        return levels[0]


async def stock(system: System, location: str, *skus: str) -> None:
    headers = {"Authorization": f"Bearer {await system.admin_key()}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers, base_url=system.ledger_url) as client:
        (await client.put(f"/v1/locations/{location}", json={"name": location})).raise_for_status()
        for sku in skus:
            (await client.put(f"/v1/items/{sku}", json={"name": sku})).raise_for_status()


async def test_a_sale_reaches_watchers_of_the_sku_the_location_and_everything(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    await stock(system, "berlin", "A", "B")
    await sell(system, "A", "berlin", 10, "opening")
    token = make_token("stock:read:*")
    async with (
        open_stream(system.stream_urls[0], token) as sku,
        open_stream(system.stream_urls[0], token) as location,
        open_stream(system.stream_urls[0], token) as everything,
    ):
        for stream, selection in ((sku, ("berlin", ["A", "B"])), (location, ("berlin", None)), (everything, ("*", None))):
            _, snapshot = await stream.subscribe(*selection)
            held = {level["sku"]: level["on_hand"] for level in snapshot["levels"]}
            assert held == ({"A": 10, "B": 0} if selection[1] else {"A": 10})
            assert snapshot["recovered"] is False
        committed = await sell(system, "A", "berlin", -1, "sale")
        for stream in (sku, location, everything):
            assert await stream.expect("level", sku="A") == {"type": "level", **committed}
