"""An event as the ledger's log has it, and what it means for what can be sold. Pure."""

from collections.abc import Mapping
from typing import Any

Event = Mapping[str, Any]
"""As on the wire: docs/reference/http.md, Event."""
Key = tuple[str, str]
"""(sku, location)"""

FIELDS = (
    *("shard", "seq", "sku", "location", "version", "kind", "on_hand_delta", "reserved_delta", "on_hand", "reserved"),
    *("available", "operation", "actor", "reason", "reference", "occurred_at", "committed_at"),
)
"""Those that pages get; the others are the hubs'."""
DEMAND = frozenset(("sale", "hold", "release", "commit", "fulfil"))
"""Kinds by which customers take what can be sold, or give it back."""
LEAVES = frozenset(("sale", "fulfil"))
"""Kinds by which units leave for good: sold at the counter, or paid for and handed over."""


def key_of(event: Event) -> Key:
    return event["sku"], event["location"]


def sold_by(event: Event) -> int:
    return max(0, -event["on_hand_delta"]) if event["kind"] in LEAVES else 0


def taken_by(event: Event) -> int:
    """How many units fewer there are to sell; below 0 what was let go of."""
    return event["reserved_delta"] - event["on_hand_delta"] if event["kind"] in DEMAND else 0


def available_before(event: Event) -> int:
    before: int = event["available"] - event["on_hand_delta"] + event["reserved_delta"]
    return before


def shown(event: Event, name: str | None) -> dict[str, Any]:
    """For pages. ``name``: the item's, if it is known."""
    return {**{field: event.get(field) for field in FIELDS}, "name": name}
