"""Events as the log has them, for the pure parts."""

from typing import Any

from console.moments import text_of


def event(
    version: int, change: int, on_hand: int, *, kind: str = "sale", held: int = 0, reserved: int = 0, **fields: Any
) -> dict[str, Any]:
    """``change`` of on hand, to ``on_hand``; ``held``: change of what is reserved, to ``reserved``."""
    return {
        "shard": 0,
        "seq": version,
        "sku": "A",
        "location": "berlin",
        "version": version,
        "kind": kind,
        "on_hand_delta": change,
        "reserved_delta": held,
        "on_hand": on_hand,
        "reserved": reserved,
        "available": on_hand - reserved,
        "operation": f"operation-{version}",
        "actor": "till-7",
        "reason": None,
        "reference": None,
        "occurred_at": None,
        "committed_at": text_of(1_000.0 + version),
        **fields,
    }
