"""A level as of any moment: from its own events, which the ledger keeps for ever."""

from collections import OrderedDict
from typing import Any

from console.following.ledger import Ledger
from console.moments import seconds_of, text_of
from server.http.ledger_api import LedgerAway

REMEMBERED_MAX = 1_000
"""The past does not change: what was found once is not asked again. Where nothing was booked since, it is not as long
as the level is of the same version."""
STEPS_MAX = 64
"""Halvings, of versions of at most 63 bits."""
NUMBERS = ("on_hand", "reserved", "available", "version", "committed_at")


class AsOf:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._found: OrderedDict[tuple[str, str, float], tuple[int | None, dict[str, Any]]] = OrderedDict()

    async def at(self, sku: str, location: str, moment_s: float, version: int | None = None) -> dict[str, Any]:
        """Numbers behind the last event that was committed until then. ``version``: of the level now, if it is known
        for sure."""
        key = sku, location, moment_s
        if key in self._found:
            good_for, known = self._found[key]
            if good_for in (None, version):
                return known
        try:
            event, newest = await self._last_until(sku, location, moment_s)
        except LedgerAway as error:
            return {
                "moment": text_of(moment_s),
                **dict.fromkeys(NUMBERS),
                "unknown": dict.fromkeys(NUMBERS, str(error)),
            }
        found: dict[str, Any] = {"moment": text_of(moment_s), **_numbers(event)}
        settled = found["version"] < newest  # a later event proves that no more can come before
        self._found[key] = (None if settled else newest), found
        if len(self._found) > REMEMBERED_MAX:
            self._found.popitem(last=False)
        return found

    async def _last_until(self, sku: str, location: str, moment_s: float) -> tuple[dict[str, Any] | None, int]:
        """The event; None: nothing was booked until then. And the newest version."""
        level = await self._ledger.level(location, sku)
        newest = 0 if level is None else int(level["version"])
        low, high = 0, newest  # the last one until then is at least `low`, at most `high`
        found: dict[str, Any] | None = None
        for _ in range(STEPS_MAX):
            if low >= high:
                break
            middle = (low + high + 1) // 2
            events = await self._ledger.history(location, sku, middle - 1, 1)
            if events and seconds_of(events[0]["committed_at"]) <= moment_s:
                low, found = middle, events[0]
            else:
                high = middle - 1
        return found, newest


def _numbers(event: dict[str, Any] | None) -> dict[str, Any]:
    if event is None:
        why = {"committed_at": "nothing was booked until then"}
        return {"on_hand": 0, "reserved": 0, "available": 0, "version": 0, "committed_at": None, "unknown": why}
    return {**{name: event[name] for name in NUMBERS}, "unknown": {}}
