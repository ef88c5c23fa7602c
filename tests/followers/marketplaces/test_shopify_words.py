"""What Shopify says, in our words: pure."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from followers.marketplaces.errors import NoticeRefused, SettingRefused
from followers.marketplaces.shopify.admin_api import base_url
from followers.marketplaces.shopify.notices import received
from followers.marketplaces.shopify.orders import order_of
from followers.marketplaces.shopify.quantities import outcomes_of, variables_of
from followers.marketplaces.terms import Applied, Listing, Notice, Refused, Stale, Target, Unknown

SECRET = "shpss_secret"
MUG, CAP = Target("1", 7, 5, "a"), Target("2", 0, 3, "b")


def notice(topic: str, content: Any, **headers: str) -> Notice:
    body = json.dumps(content).encode()
    signed = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    own = {"x-shopify-hmac-sha256": signed, "x-shopify-webhook-id": "n1", "x-shopify-topic": topic}
    return Notice({**own, **headers}, body)


def node(**more: Any) -> dict[str, Any]:
    line = {"id": "gid://shopify/LineItem/9", "currentQuantity": 2, "variant": variant(1)}
    own: dict[str, Any] = {
        "legacyResourceId": "1001",
        "name": "#1001",
        "createdAt": "2026-11-30T05:00:00Z",
        "updatedAt": "2026-11-30T05:00:01Z",
        "cancelledAt": None,
        "displayFinancialStatus": "PAID",
        "lineItems": {"nodes": [line]},
        "refunds": [],
    }
    return {**own, **more}


def variant(item: int) -> dict[str, Any]:
    return {"inventoryItem": {"legacyResourceId": str(item)}}


@pytest.mark.parametrize(
    ("topic", "content", "orders"),
    [
        ("orders/create", {"id": 1001, "line_items": []}, ["1001"]),
        ("orders/cancelled", {"id": 1001}, ["1001"]),
        ("orders/edited", {"order_edit": {"id": 5, "order_id": 1001}}, ["1001"]),
        ("refunds/create", {"id": 5, "order_id": 1001}, ["1001"]),
        ("app/uninstalled", {"id": 1}, []),
    ],
)
def test_a_notice_names_the_order_that_it_is_about(topic: str, content: Any, orders: list[str]) -> None:
    told = received(notice(topic, content), SECRET, "7")
    assert (told.id, told.changed_orders, told.orders) == ("n1", orders or (), ())


def test_a_level_is_told_as_it_stands_here() -> None:
    level = {"inventory_item_id": 1, "location_id": 7, "available": -2}
    assert received(notice("inventory_levels/update", level), SECRET, "7").levels == [Listing("1", -2)]
    assert received(notice("inventory_levels/update", level), SECRET, "8").levels == ()
    untracked = {**level, "available": None}
    assert received(notice("inventory_levels/update", untracked), SECRET, "7").levels == [Listing("1", None)]


@pytest.mark.parametrize(
    "bad",
    [
        notice("orders/create", {"id": 1001}, **{"x-shopify-hmac-sha256": ""}),
        notice("orders/create", {"id": 1001}, **{"x-shopify-hmac-sha256": "schlüssel"}),
        notice("orders/create", {"id": 1001}, **{"x-shopify-webhook-id": ""}),
        notice("orders/create", {"no": "id"}),
        notice("orders/create", [1001]),
        notice("orders/create", {"id": "'; drop table"}),
        Notice({}, b"{}"),
    ],
)
def test_what_is_no_notice_is_refused(bad: Notice) -> None:
    with pytest.raises(NoticeRefused):
        received(bad, SECRET, "7")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("PAID", "paid"),
        ("AUTHORIZED", "paid"),
        ("PARTIALLY_REFUNDED", "paid"),
        ("PENDING", "unpaid"),
        ("EXPIRED", "unpaid"),
        (None, "unpaid"),
    ],
)
def test_the_state_of_an_order_is_that_of_its_money(status: str | None, state: str) -> None:
    assert order_of(node(displayFinancialStatus=status)).state == state
    assert order_of(node(displayFinancialStatus=status, cancelledAt="2026-11-30T05:00:02Z")).state == "cancelled"


def test_lines_of_one_item_are_one_and_what_was_not_put_back_is_still_sold() -> None:
    lines = [
        {"id": "L1", "currentQuantity": 1, "variant": variant(1)},
        {"id": "L2", "currentQuantity": 2, "variant": variant(1)},
        {"id": "L3", "currentQuantity": 0, "variant": variant(2)},
        {"id": "gid://shopify/LineItem/4", "currentQuantity": 1, "variant": None},
    ]
    refunded = [
        {"quantity": 1, "restocked": False, "lineItem": {"id": "L3"}},
        {"quantity": 1, "restocked": True, "lineItem": {"id": "L1"}},
    ]
    refunds = [{"refundLineItems": {"nodes": refunded}}]
    order = order_of(node(lineItems={"nodes": lines[:2]}, refunds=refunds), lines[2:])
    assert {line.remote: line.quantity for line in order.lines} == {"1": 3, "2": 1, "gone/4": 1}


def test_a_zero_is_sent_without_comparing_and_the_same_targets_have_the_same_key() -> None:
    asked = variables_of([MUG, CAP], "7")
    assert [one["changeFromQuantity"] for one in asked["input"]["quantities"]] == [5, None]
    assert variables_of([MUG, CAP], "7")["key"] == asked["key"]
    other = Target("1", 8, 5, "a")
    assert variables_of([other, CAP], "7")["key"] != asked["key"]


def test_each_error_is_that_of_its_own_target() -> None:
    stale, unknown = (["input", "quantities", *path] for path in (("0", "changeFromQuantity"), ("2", "locationId")))
    errors = [
        {"code": "CHANGE_FROM_QUANTITY_STALE", "message": "stale", "field": stale},
        {"code": "INVALID_LOCATION", "message": "not found", "field": unknown},
    ]
    payload = {"inventoryAdjustmentGroup": None, "userErrors": errors}
    assert outcomes_of(payload, [MUG, CAP, CAP]) == [Stale(), None, Refused("not found")]
    spent = {"code": "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "message": "failed", "field": None}
    assert outcomes_of({**payload, "userErrors": [spent]}, [MUG, CAP]) == [Unknown("failed")] * 2


def test_what_shopify_passed_over_is_not_taken_for_done() -> None:
    changes = {"changes": [{"item": {"id": "gid://shopify/InventoryItem/2"}}]}
    payload = {"inventoryAdjustmentGroup": changes, "userErrors": []}
    first, second = outcomes_of(payload, [MUG, CAP])
    assert isinstance(first, Unknown)
    assert second == Applied()
    same = Target("1", 5, 5, "a")
    assert outcomes_of({"inventoryAdjustmentGroup": None, "userErrors": []}, [same]) == [Applied()]


def test_a_shop_is_an_address() -> None:
    assert base_url("my-shop.myshopify.com/") == "https://my-shop.myshopify.com"
    for wrong in ("", "https://", "ftp://my-shop", "https://my-shop/admin", "https://me:secret@my-shop"):
        with pytest.raises(SettingRefused):
            base_url(wrong)
