"""What callers ask for, checked, and the keys that their orders have elsewhere. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from stockwire import argument
from stockwire.errors import Invalid
from stockwire.operation import QUANTITY_MAX
from stockwire.orders.decide import Policy, Step
from stockwire.orders.order import Order
from stockwire.reservation import Wanted

_KEY = re.compile(r"[\x21\x23-\x7e][\x21-\x7e]{0,159}\Z")
"""What is made of it is an idempotency key: of the ledger, which may have 200 characters, and of most providers."""


def new_order(
    lines: Sequence[Wanted],
    key: str,
    ttl_s: int | None,
    customer: str | None,
    reference: str | None,
    data: Mapping[str, Any] | None,
) -> Order:
    """Raises Invalid."""
    if not _KEY.match(argument.text("key", key)):
        raise Invalid("key", "an order's key is 1 to 160 visible ASCII characters, not beginning with a quote")
    found = argument.each_of("lines", lines, Wanted, "line: make it with held()")
    if not found:
        raise Invalid("lines", "none is named")
    return Order(
        key,
        tuple(found),
        None if ttl_s is None else argument.whole("ttl_s", ttl_s, 1, QUANTITY_MAX),
        argument.optional_text("customer", customer),
        argument.optional_text("reference", reference) or key,
        argument.attributes("data", data) or {},
    )


def no_function(name: str) -> Invalid:
    return Invalid(name, f"there is no {name} function: give one to Orders")


def policy_of(can_find: bool, can_refund: bool, charge_for_s: float, late_s: float | None, lease_s: float) -> Policy:
    """Raises Invalid. A process may stand still for its lease before it asks for what it wrote down."""
    asked_s = argument.seconds("charge_for_s", charge_for_s)
    return Policy(
        can_find=can_find,
        can_refund=can_refund,
        charge_for_s=asked_s,
        late_s=None if late_s is None else argument.seconds("late_s", late_s) + lease_s,
    )


def ledger_key(step: Step, order: Order) -> str:
    """The same for the same step of the same order, in whichever process."""
    if step is Step.COMMIT and order.commits > 1:
        return f"{order.key}/commit/{order.commits}"
    return f"{order.key}/{step}"
