"""eBay's orders in our words. Pure.

https://developer.ebay.com/api-docs/master/sell/fulfillment/openapi/3/sell_fulfillment_v1_oas3.json
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from followers.marketplaces.ebay.shapes import Read
from followers.marketplaces.terms import Order, OrderLine, OrderState

NOT_SHIPPED = "NOT_STARTED"


class Amount(Read, frozen=True):
    value: Decimal = Decimal(0)


class Refund(Read, frozen=True):
    amount: Amount = Amount()


class Line(Read, frozen=True):
    """``legacy_item_id``: the listing's, where it was made without a sku."""

    quantity: int
    sku: str = ""
    legacy_item_id: str = ""
    line_item_fulfillment_status: str = ""
    line_item_cost: Amount = Amount()
    refunds: Sequence[Refund] = ()


class Cancelled(Read, frozen=True):
    cancel_state: str = ""


class Payment(Read, frozen=True):
    payment_status: str = ""


class PaymentSummary(Read, frozen=True):
    payments: Sequence[Payment] = ()


class EbayOrder(Read, frozen=True):
    order_id: str
    creation_date: datetime
    last_modified_date: datetime
    order_payment_status: str = ""
    order_fulfillment_status: str = ""
    cancel_status: Cancelled = Cancelled()
    payment_summary: PaymentSummary = PaymentSummary()
    line_items: Sequence[Line] = ()


class OrdersPage(Read, frozen=True):
    """``next``: the address of the next page."""

    total: int
    orders: Sequence[EbayOrder] = ()
    next: str = ""


def order_of(order: EbayOrder) -> Order:
    units: Counter[str] = Counter()
    for line in order.line_items:
        if not is_put_back(order, line):
            units[line.sku or line.legacy_item_id] += line.quantity
    return Order(
        id=order.order_id,
        state=state_of(order),
        lines=[OrderLine(remote, quantity) for remote, quantity in units.items() if remote and quantity > 0],
        placed_at=order.creation_date.astimezone(UTC),
        updated_at=order.last_modified_date.astimezone(UTC),
        number=order.order_id,
    )


def state_of(order: EbayOrder) -> OrderState:
    """FAILED is said of payments and of refunds alike: only the payments themselves tell."""
    if order.cancel_status.cancel_state == "CANCELED":
        return "cancelled"
    failed = any(one.payment_status == "FAILED" for one in order.payment_summary.payments)
    return "unpaid" if order.order_payment_status == "PENDING" or failed else "paid"


def is_put_back(order: EbayOrder, line: Line) -> bool:
    """A refund at eBay says money, not units. What was paid back whole before any of it was shipped is not going to be:
    it lies where it lay. Else the units are gone, and a clerk who has them back books a return.
    """
    shipped = line.line_item_fulfillment_status or order.order_fulfillment_status
    if shipped != NOT_SHIPPED:
        return False
    refunded = sum((one.amount.value for one in line.refunds), Decimal(0))
    return order.order_payment_status == "FULLY_REFUNDED" or 0 < line.line_item_cost.value <= refunded
