"""Events as the ledger tells them, for the pure parts."""

from typing import Any

COMMITTED_AT = "2026-11-30T01:02:03.000004Z"


def event(version: int, available: int, before: int, **more: Any) -> dict[str, Any]:
    """Nothing is reserved: all of the change is of what is on hand."""
    return {
        "shard": 1,
        "seq": 100 + version,
        "sku": "A",
        "location": "berlin",
        "version": version,
        "kind": "sale" if available < before else "receipt",
        "on_hand_delta": available - before,
        "reserved_delta": 0,
        "on_hand": available,
        "reserved": 0,
        "available": available,
        "operation": "00000000-0000-0000-0000-000000000001",
        "actor": "till-1",
        "reason": None,
        "reference": None,
        "occurred_at": None,
        "committed_at": COMMITTED_AT,
        "view_version": 7,
        **more,
    }


def chain(*available: int) -> list[dict[str, Any]]:
    """Of one level: from each number to the next; the first is of the version 1, from nothing."""
    return [event(at, now, before) for at, (before, now) in enumerate(zip((0, *available), available, strict=False), 1)]
