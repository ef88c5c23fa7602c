"""Amazon's words for orders, in its API and in its notices, and ours."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from followers.marketplaces.adapter import Notice, NoticeRefused, OrderLine, Received
from followers.marketplaces.amazon.notices import read
from followers.marketplaces.amazon.orders import of_notice, of_search

ID, AT = "902-3159896-1390916", "2026-11-30T05:00:07Z"


def searched(status: str = "UNSHIPPED", **changed: Any) -> dict[str, Any]:
    items = [
        {"orderItemId": str(number), "quantityOrdered": units, "product": {"sellerSku": sku}}
        for number, (sku, units) in enumerate([("mug", 2), ("cap", 1), ("mug", 1), ("gone", 0)])
    ]
    fulfillment = {"fulfillmentStatus": status, "fulfilledBy": "MERCHANT"}
    order = {"orderId": ID, "createdTime": AT, "lastUpdatedTime": AT, "fulfillment": fulfillment, "orderItems": items}
    return order | changed


def change(status: str = "Unshipped", **changed: Any) -> dict[str, Any]:
    summary = {
        "MarketplaceId": "M",
        "OrderStatus": status,
        "PurchaseDate": AT,
        "FulfillmentType": "MFN",
        "OrderItems": [{"OrderItemId": "1", "SellerSKU": "mug", "Quantity": 2}],
    }
    trigger = {"TimeOfOrderChange": "2026-11-30T05:00:07.250Z", "ChangeReason": "OrderStatusChange"}
    told = {"NotificationLevel": "OrderLevel", "SellerId": "S", "AmazonOrderId": ID, "Summary": summary}
    return told | {"OrderChangeTrigger": trigger} | changed


def notice(order_change: Any) -> Notice:
    told = {"EventTime": AT, "NotificationMetadata": {"NotificationId": "n1"}}
    return Notice({}, orjson.dumps({**told, "Payload": {"OrderChangeNotification": order_change}}))


@pytest.mark.parametrize(
    ("search", "told", "state"),
    [
        ("PENDING_AVAILABILITY", "PendingAvailability", "unpaid"),
        ("PENDING", "Pending", "unpaid"),
        ("UNSHIPPED", "Unshipped", "paid"),
        ("PARTIALLY_SHIPPED", "PartiallyShipped", "paid"),
        ("SHIPPED", "Shipped", "paid"),
        ("CANCELLED", "Canceled", "cancelled"),
        ("UNFULFILLABLE", "Unfulfillable", "cancelled"),
    ],
)
def test_a_status_means_the_same_in_a_search_and_in_a_notice(search: str, told: str, state: str) -> None:
    found, noticed = of_search(searched(search)), of_notice(change(told), AT)
    assert found is not None
    assert noticed is not None
    assert found.state == noticed.state == state


def test_items_of_one_sku_are_one_line_and_what_was_cancelled_is_none() -> None:
    order = of_search(searched())
    assert order is not None
    assert order.lines == [OrderLine("mug", 3), OrderLine("cap", 1)]
    assert (order.id, order.number) == (ID, ID)


def test_an_order_of_the_search_is_newer_than_a_notice_of_the_same_second() -> None:
    """The search tells no thousandths: a cancel that it knows must not be taken for older than the sale's notice."""
    found, noticed = of_search(searched("CANCELLED")), of_notice(change(), AT)
    assert found is not None
    assert noticed is not None
    assert found.updated_at > noticed.updated_at == datetime(2026, 11, 30, 5, 0, 7, 250_000, UTC)


def test_what_amazon_fulfils_is_nothing_to_us() -> None:
    theirs = {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "AMAZON"}
    assert of_search(searched(fulfillment=theirs)) is None
    assert of_notice(change(Summary={**change()["Summary"], "FulfillmentType": "AFN"}), AT) is None


def test_a_notice_tells_its_order_or_which_one_to_fetch() -> None:
    received = read(notice(change()), "S", "M")
    assert (received.id, [one.id for one in received.orders], received.changed_orders) == ("n1", [ID], ())
    assert read(notice(change(NotificationLevel="OrderItemLevel")), "S", "M").changed_orders == [ID]


@pytest.mark.parametrize(("seller", "marketplace"), [("other", "M"), ("S", "other")])
def test_a_notice_for_another_seller_or_marketplace_says_nothing(seller: str, marketplace: str) -> None:
    assert read(notice(change()), seller, marketplace) == Received("n1")


def test_a_notice_of_another_kind_says_nothing() -> None:
    body = {"NotificationMetadata": {"NotificationId": "n2"}, "Payload": {"AnyOfferChangedNotification": {}}}
    assert read(Notice({}, orjson.dumps(body)), "S", "M") == Received("n2")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"NotificationMetadata": null}', b"\xff"])
def test_what_is_no_notice_is_refused(body: bytes) -> None:
    with pytest.raises(NoticeRefused):
        read(Notice({}, body), "S", "M")


@pytest.mark.parametrize("field", ["orderId", "fulfillment", "orderItems", "lastUpdatedTime"])
def test_an_order_that_lacks_something_is_none(field: str) -> None:
    order = searched()
    del order[field]
    with pytest.raises(KeyError):
        of_search(order)
    with pytest.raises(ValueError, match="offset"):
        of_search(searched(createdTime="2026-11-30T05:00:07"))
