"""What has to travel when something changed. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

ALWAYS_NEW = "at"
"""Of every answer: that it is later is no change."""
ROWS_SHARE_MAX = 0.5
"""Of rows that changed: beyond it all of them are about as short."""

Data = Mapping[str, Any]


def patch_of(before: Data, now: Data, rows: str, key: Sequence[str], *, new_rows: bool) -> dict[str, Any] | None:
    """What to send beside the id: ``{"rows", "at", ...}`` or ``{"data"}``; None if nothing changed.

    ``rows``: the field of rows that may travel alone, ``key`` tells them apart; empty: none may.
    """
    changed = {name: now[name] for name in now if name != ALWAYS_NEW and now[name] != before.get(name)}
    if not changed:
        return None
    if not rows:
        return {"data": now}
    travelling_of = _on_top if new_rows else _replaced
    travelling = travelling_of(before[rows], now[rows], key)
    if travelling is None:
        return {"data": now}
    changed.pop(rows, None)
    return {"rows": travelling, ALWAYS_NEW: now[ALWAYS_NEW], **changed}


def _replaced(before: Sequence[Data], now: Sequence[Data], key: Sequence[str]) -> list[Data] | None:
    """None: rows came, went or changed places, or most of them changed."""
    if [_key(row, key) for row in before] != [_key(row, key) for row in now]:
        return None
    changed = [new for old, new in zip(before, now, strict=True) if old != new]
    return changed if len(changed) <= max(1.0, ROWS_SHARE_MAX * len(now)) else None


def _on_top(before: Sequence[Data], now: Sequence[Data], key: Sequence[str]) -> list[Data] | None:
    """None: nothing of what was shown is still there, or it changed."""
    if not before:
        return list(now)
    first = _key(before[0], key)
    for place, row in enumerate(now):
        if _key(row, key) == first:
            return list(now[:place])
    return None


def _key(row: Data, key: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)
