"""inventorySetQuantities: all that a call asks for, or nothing of it."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError

from tests.channels.shared.rules import Rules
from tests.channels.shared.selling import Selling
from tests.channels.shopify.gids import gid, number_of
from tests.channels.shopify.idempotency import Keys
from tests.channels.shopify.shop import Shop, listing_of, now

AT_MOST = 250
LARGEST = 1_000_000_000
_REASONS = """
    correction cycle_count_available damaged movement_canceled movement_created movement_received movement_updated
    other promotion quality_control received reservation_created reservation_deleted reservation_updated restock
    safety_stock shrinkage
"""
REASONS = frozenset(_REASONS.split())
UserErrors = list[dict[str, Any]]

_OF_KEYS = {
    "same-key-other-body": (
        "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
        "The same idempotency key cannot be used with different operation parameters.",
    ),
    "key-in-flight": (
        "IDEMPOTENCY_CONCURRENT_REQUEST",
        "This request is currently in progress, please try again.",
    ),
    "key-of-failed": (
        "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
        "A previous request with this idempotency key failed. Retry with a new idempotency key.",
    ),
}
_TOO_LARGE = "The input array size of {} is greater than the maximum allowed of 250."


class Inventory:
    """``lasts_s``: how long a call takes until it is applied, meanwhile its key is in flight."""

    def __init__(self, shop: Shop, selling: Selling, rules: Rules, lasts_s: Callable[[], float]) -> None:
        self._shop = shop
        self._selling = selling
        self._rules = rules
        self._lasts_s = lasts_s
        self._keys = Keys()
        self._numbers = itertools.count(1)

    async def set_quantities(self, asked: dict[str, Any], key: str | None) -> dict[str, Any]:
        """The payload. Raises GraphQLError for what is refused as a whole."""
        self._refuse(asked, key)
        assert key is not None
        known = self._keys.begin(key, asked)
        if isinstance(known, str):
            self._rules.broke(known)
            code, message = _OF_KEYS[known]
            return _payload(None, [_error(None, code, message)])
        if known is not None:
            return known
        await asyncio.sleep(self._lasts_s())
        answer = self._apply(asked)
        self._keys.end(key, answer)
        return answer

    def _refuse(self, asked: dict[str, Any], key: str | None) -> None:
        if key is None:
            self._raise(
                "idempotent",
                "The @idempotent directive is required for this mutation but was not provided.",
                "BAD_REQUEST",
            )
        elif not key.strip():
            self._raise("blank-key", "The idempotency key cannot be empty or whitespace only.", "BAD_REQUEST")
        if any("changeFromQuantity" not in one for one in asked["quantities"]):
            message = "InventoryQuantityInput must include the following argument: changeFromQuantity."
            self._raise("change-from-missing", message, "INVALID_FIELD_ARGUMENTS")
        if (count := len(asked["quantities"])) > AT_MOST:
            self._raise("at-most-250", _TOO_LARGE.format(count), "MAX_INPUT_SIZE_EXCEEDED")

    def _raise(self, rule: str, message: str, code: str) -> None:
        self._rules.broke(rule)
        raise GraphQLError(message, extensions={"code": code})

    def _apply(self, asked: dict[str, Any]) -> dict[str, Any]:
        errors = [*self._errors_of_call(asked), *self._errors_of_quantities(asked["quantities"])]
        if errors:
            return _payload(None, errors)
        changes = []
        for one in asked["quantities"]:
            item, location = _places(one)
            listing = listing_of(item, location)
            before = self._selling.levels.get(listing)
            if before is None:
                self._rules.broke("not-stocked")
                continue
            self._selling.set(listing, one["quantity"])
            if before != one["quantity"]:
                changes.append(self._change(item, location, one["quantity"] - before))
        return _payload(self._group(asked, changes) if changes else None, [])

    def _errors_of_call(self, asked: dict[str, Any]) -> UserErrors:
        errors = []
        if asked["name"] != "available":
            message = "The quantity name must be either 'available' or 'on_hand'."
            errors.append(self._broke("name", ["input", "name"], "INVALID_NAME", message))
        if asked["reason"] not in REASONS:
            field = ["input", "reason"]
            errors.append(self._broke("reason", field, "INVALID_REASON", "The specified reason is invalid."))
        return errors

    def _errors_of_quantities(self, quantities: Sequence[dict[str, Any]]) -> UserErrors:
        errors: UserErrors = []
        seen: set[tuple[str, str]] = set()
        for row, one in enumerate(quantities):
            found = self._error_of(one, seen)
            errors += [
                self._broke(rule, ["input", "quantities", str(row), field], code, message)
                for rule, field, code, message in found
            ]
        return errors

    def _error_of(self, one: dict[str, Any], seen: set[tuple[str, str]]) -> list[tuple[str, str, str, str]]:
        """Rule, field, code and message of each."""
        found = []
        item, location = _places(one)
        if item not in self._shop.items:
            message = "The specified inventory item could not be found."
            found.append(("unknown-item", "inventoryItemId", "INVALID_INVENTORY_ITEM", message))
        if location not in self._shop.locations:
            message = "The specified location could not be found."
            found.append(("unknown-location", "locationId", "INVALID_LOCATION", message))
        if (item, location) in seen:
            message = "The combination of inventoryItemId and locationId must be unique."
            code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
            found.append(("twice", "inventoryItemId", code, message))
        seen.add((item, location))
        if not -LARGEST <= one["quantity"] <= LARGEST:
            word, code = ("lower", "LOW") if one["quantity"] < 0 else ("higher", "HIGH")
            edge = f"{LARGEST if one['quantity'] > 0 else -LARGEST:,}"
            message = f"The quantity can't be {word} than {edge}."
            found.append(("bounds", "quantity", f"INVALID_QUANTITY_TOO_{code}", message))
        expected, stands = one["changeFromQuantity"], self._selling.levels.get(listing_of(item, location))
        if not found and None not in (expected, stands) and expected != stands:
            message = "The changeFromQuantity argument no longer matches the persisted quantity."
            found.append(("change-from-stale", "changeFromQuantity", "CHANGE_FROM_QUANTITY_STALE", message))
        return found

    def _broke(self, rule: str, field: list[str], code: str, message: str) -> dict[str, Any]:
        self._rules.broke(rule)
        return _error(field, code, message)

    def _group(self, asked: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": gid("InventoryAdjustmentGroup", next(self._numbers)),
            "createdAt": now(),
            "reason": asked["reason"],
            "referenceDocumentUri": asked.get("referenceDocumentUri"),
            "changes": lambda _, **__: changes,
        }

    def _change(self, item: str, location: str, delta: int) -> dict[str, Any]:
        return {
            "name": "available",
            "delta": delta,
            "quantityAfterChange": None,
            "item": lambda _: self._shop.item(item),
            "location": lambda _: self._shop.location(location),
        }


def _places(one: dict[str, Any]) -> tuple[str, str]:
    """Numbers of item and location; empty where it is no such id."""
    item = number_of("InventoryItem", one["inventoryItemId"])
    return item or "", number_of("Location", one["locationId"]) or ""


def _payload(group: dict[str, Any] | None, errors: UserErrors) -> dict[str, Any]:
    return {"inventoryAdjustmentGroup": group, "userErrors": errors}


def _error(field: list[str] | None, code: str, message: str) -> dict[str, Any]:
    return {"field": field, "code": code, "message": message}
