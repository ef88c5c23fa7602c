"""One call of inventorySetQuantities, and what its answer means for each target. Pure.

Shopify does all of a call or nothing: one stale quantity keeps the others from being set, and all that are wrong are
named. https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/inventorySetQuantities
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from followers.marketplaces.terms import Applied, Outcome, Refused, Stale, Target, Unknown

ITEM = "gid://shopify/InventoryItem/"
LOCATION = "gid://shopify/Location/"
UNSURE = frozenset({"IDEMPOTENCY_CONCURRENT_REQUEST", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"})
"""Of a key that was used before: what came of it has to be read."""


def is_blind(target: Target) -> bool:
    """Whether it would overwrite what we do not know. A zero may: it sells nothing twice."""
    return target.expected is None and target.quantity > 0


def variables_of(targets: Sequence[Target], location: str) -> dict[str, Any]:
    """The same targets have the same key: whoever repeats a call does not repeat its effect."""
    told = "\n".join(f"{one.key} {one.remote} {one.quantity} {one.expected}" for one in targets)
    key = hashlib.sha256(told.encode()).hexdigest()[:36]
    quantities = [
        {
            "inventoryItemId": ITEM + one.remote,
            "locationId": LOCATION + location,
            "quantity": one.quantity,
            "changeFromQuantity": None if one.quantity == 0 else one.expected,
        }
        for one in targets
    ]
    reference = f"gid://stockwire/Push/{key}"
    asked = {"name": "available", "reason": "correction", "referenceDocumentUri": reference, "quantities": quantities}
    return {"input": asked, "key": key}


def outcomes_of(payload: Mapping[str, Any], targets: Sequence[Target]) -> list[Outcome | None]:
    """For each target in order; None: nothing is wrong with it, and nothing was done."""
    errors = payload["userErrors"]
    if not errors:
        group = payload["inventoryAdjustmentGroup"]
        changed = {change["item"]["id"] for change in group["changes"]} if group else set()
        return [_applied(one, ITEM + one.remote in changed) for one in targets]
    outcomes: list[Outcome | None] = [None] * len(targets)
    for error in errors:
        row = _row(error["field"])
        outcome = _of(str(error["code"]), str(error["message"]))
        if row is None:
            return [outcome] * len(targets)
        outcomes[row] = outcome
    return outcomes


def _applied(target: Target, is_changed: bool) -> Outcome:
    """What should have changed and is not among the changes, Shopify passed over without a word."""
    if is_changed or target.expected in (None, target.quantity):
        return Applied()
    return Unknown("Shopify changed nothing: is the item still stocked at the location?")


def _of(code: str, message: str) -> Outcome:
    if code == "CHANGE_FROM_QUANTITY_STALE":
        return Stale()
    return Unknown(message) if code in UNSURE else Refused(message)


def _row(field: Sequence[str] | None) -> int | None:
    """Of input/quantities/ROW/..."""
    return int(field[2]) if field and len(field) > 2 and field[1] == "quantities" else None
