"""What a person decides about an order, or its customer, and how it stands then. Pure.

Each raises Invalid where it cannot be.
"""

from dataclasses import replace

from stockwire import argument
from stockwire.errors import Invalid
from stockwire.orders.decide import cancelling, goes_on, left_in_part
from stockwire.orders.order import ENDED, Order, OrderState

_PAID = (OrderState.CHARGED, OrderState.COMMITTED, OrderState.CHARGED_WITHOUT_STOCK)
_LEFT = "has left: book what comes back as a return"


def cancelled(order: Order, reason: str) -> Order:
    """Not wanted any more: what is held is let go of, what was taken goes back."""
    argument.text("reason", reason)
    if left_in_part(order):
        raise _cannot(order, "has left in part: give back what is owed, and say so with refunded()")
    if order.state in (OrderState.RESERVED, *_PAID):
        return cancelling(order, OrderState.CANCELLED, reason)
    if order.state in (OrderState.CANCELLING, OrderState.REFUNDING) or order.state in ENDED - {OrderState.FULFILLED}:
        return order
    why = {
        OrderState.RESERVING: "is not held yet: reserve it, or let it be",
        OrderState.FULFILLED: _LEFT,
    }
    raise _cannot(order, why.get(order.state, "may be paid for: resume or settle it first"))


def was_cancelled(order: Order) -> Order:
    """It was to be: not if the ledger says that its goods had left, whoever sent them."""
    if order.state is OrderState.FULFILLED:
        raise _cannot(order, _LEFT)
    return order


def settled(order: Order, charge: str | None) -> Order:
    """Somebody has looked at the provider, and knows for certain that there is this charge, or none for ever."""
    if order.state not in (OrderState.CHARGING, OrderState.UNRESOLVED):
        raise _cannot(order, f"is {order.state}: only one that may be paid for can be settled")
    if charge is None:
        return cancelling(order, OrderState.CANCELLED, "settled: it was never paid for")
    paid = replace(order, state=OrderState.CHARGED, charge=argument.text("charge", charge))
    return goes_on(paid, OrderState.CHARGED)


def refunded(order: Order, refund: str) -> Order:
    """What was taken has gone back by other ways than the ``refund`` function."""
    if order.state not in (OrderState.CHARGED_WITHOUT_STOCK, OrderState.REFUNDING):
        raise _cannot(order, f"is {order.state}: nothing of it waits to go back")
    gone_back = replace(order, refund=argument.text("refund", refund))
    kept = order.ending is OrderState.CANCELLED
    return cancelling(gone_back, OrderState.CANCELLED if kept else OrderState.REFUNDED)


def _cannot(order: Order, why: str) -> Invalid:
    return Invalid("key", f"order {order.key} {why}")
