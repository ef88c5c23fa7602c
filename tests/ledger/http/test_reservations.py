"""Reservations over HTTP: what is taken, what is refused and in which words, and who may see and change them."""

import secrets
from typing import Any

import httpx

from tests.ledger.api import Api, problem, sale


async def reserve(api: Api, lines: list[dict[str, Any]], key: str | None = None, **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key or secrets.token_hex(8)}
    return await api.post("/v1/reservations", {"lines": lines, **body}, headers=headers)


async def change(api: Api, hold: str, name: str, body: Any = None, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key or secrets.token_hex(8)}
    return await api.post(f"/v1/reservations/{hold}/{name}", body, headers=headers)


async def test_a_basket_is_held_paid_for_and_leaves(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 5)
    line = {"sku": unique_name, "location": unique_name, "quantity": 2}
    made = await reserve(api, [line], ttl_s=60, reference="order-1", customer="c-1")
    assert made.status_code == 201
    hold = made.json()["reservation"]
    assert (hold["state"], made.json()["levels"][0]["available"]) == ("pending", 3)
    assert (await api.get(f"/v1/reservations/{hold['id']}")).json() == hold
    assert problem(await api.move(sale(unique_name, unique_name, -4))) == (409, "insufficient-stock")
    key = secrets.token_hex(8)
    paid = await change(api, hold["id"], "commit", key=key)
    for state, found in (("open", 1), ("committed", 1), ("pending", 0)):
        listed = (await api.get(f"/v1/reservations?state={state}&location={unique_name}")).json()
        assert len(listed["reservations"]) == found
    assert (await change(api, hold["id"], "commit", key=key)).content == paid.content
    assert (paid.status_code, paid.json()["reservation"]["state"]) == (200, "committed")
    left = await change(api, hold["id"], "fulfil", {"lines": [{"sku": unique_name, "location": unique_name}]})
    assert (left.json()["reservation"]["state"], left.json()["levels"][0]["on_hand"]) == ("fulfilled", 3)
    assert problem(await change(api, hold["id"], "cancel")) == (409, "reservation-state")
    listed = (await api.get(f"/v1/reservations?location={unique_name}")).json()
    assert [one["state"] for one in listed["reservations"]] == ["fulfilled"]


async def test_why_a_reservation_was_refused_is_not_told_to_who_may_not_write_there(api: Api, unique_name: str) -> None:
    """A token may have less than all scopes of its owner, and the refusal says what is left."""
    await api.stock(unique_name, unique_name, 5)
    key = secrets.token_hex(8)
    line = {"sku": unique_name, "location": unique_name, "quantity": 9}
    assert problem(await reserve(api, [line], key)) == (409, "insufficient-stock")
    known = await api.post("/v1/operations/query", {"keys": [key]})
    (operation,) = known.json()["operations"]
    assert (operation["type"], operation["lines"][0]["location"]) == ("insufficient-stock", unique_name)
    token = (await api.post("/v1/tokens", {"scopes": ["stock:write:elsewhere"]})).json()["token"]
    hidden = await api.post("/v1/operations/query", {"keys": [key]}, headers={"Authorization": f"Bearer {token}"})
    assert hidden.json()["operations"] == []
