"""Level: every event of one level, what is held of it, and how it stood at any moment."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from console.following.ledger import Ledger
from console.moments import text_of
from console.topics.arguments import Arguments
from console.topics.as_of import AsOf
from console.topics.holds import hold_of
from console.topics.topic import Topic
from console.topics.watch import Watch
from console.watched.events import shown
from server.http.ledger_api import LedgerAway
from server.problems import Invalid

ROWS_MAX = 200
HOLDS_MAX = 100
VERSION_MAX = 2**63 - 1
AGAIN_S = 5.0
"""Where no version changed, the ledger is asked again after so long: a hold may have been extended."""
REMEMBERED_MAX = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """``before``: events of lower versions; None: the newest."""

    sku: str
    location: str
    before: int | None
    limit: int
    as_of_s: float | None


class LevelPage(Topic[Asked]):
    name = "level"

    def __init__(self, watch: Watch, as_of: AsOf) -> None:
        super().__init__(watch)
        self._as_of = as_of
        self._known: OrderedDict[Asked, tuple[float, int, dict[str, Any]]] = OrderedDict()

    def read(self, arguments: Arguments) -> Asked:
        asked = Asked(
            sku=arguments.text("sku"),
            location=arguments.text("location"),
            before=arguments.optional_whole("before", 1, VERSION_MAX),
            limit=arguments.whole("limit", 100, 1, ROWS_MAX),
            as_of_s=arguments.moment("as_of"),
        )
        for field in ("sku", "location"):
            if not getattr(asked, field):
                raise Invalid(field, "is required")
        return asked

    async def data(self, asked: Asked) -> dict[str, Any]:
        seen = self.watch.levels.table.level(asked.sku, asked.location)
        version, now = seen.version if seen else 0, time.monotonic()
        known = self._known.get(asked)
        if known is not None and known[0] > now - AGAIN_S and known[1] == version:
            return known[2]
        data = await self._look(asked, version)
        self._known[asked] = now, version, data
        self._known.move_to_end(asked)
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)
        return data

    async def _look(self, asked: Asked, version: int) -> dict[str, Any]:
        unknown: dict[str, str] = {}
        ledger, sku, location = self.watch.ledger, asked.sku, asked.location
        level: dict[str, Any] | None = None
        events: list[dict[str, Any]] | None = None
        try:
            level = await ledger.level(location, sku)
            newest = max(version, int(level["version"]) if level else 0)
            events = await _newest_first(ledger, asked, newest if asked.before is None else asked.before - 1)
        except LedgerAway as error:
            unknown |= {"level": str(error), "events": str(error)}
        if level is None and "level" not in unknown:
            unknown["level"] = "the ledger knows no such sku or location"
        holds, more_holds = await self._holds(asked, unknown)
        as_of = None if asked.as_of_s is None else await self._as_of.at(sku, location, asked.as_of_s)
        return {
            "at": text_of(time.time()),
            "sku": sku,
            "location": location,
            "name": self.watch.name_of(sku),
            "level": None if level is None else {name: level.get(name) for name in _LEVEL},
            "events": None if events is None else [shown(event, self.watch.name_of(sku)) for event in events],
            "next": events[-1]["version"] if events and events[-1]["version"] > 1 else None,
            "holds": holds,
            "more_holds": more_holds,
            "as_of": as_of,
            "unknown": unknown,
        }

    async def _holds(self, asked: Asked, unknown: dict[str, str]) -> tuple[list[dict[str, Any]] | None, bool]:
        parameters: dict[str, str | int] = {"location": asked.location, "sku": asked.sku, "state": "open"}
        try:
            answer = await self.watch.ledger.reservations({**parameters, "limit": HOLDS_MAX})
        except LedgerAway as error:
            unknown["holds"] = str(error)
            return None, False
        return [hold_of(self.watch, one) for one in answer["reservations"]], answer["next"] is not None


_LEVEL = ("on_hand", "reserved", "available", "version", "kind", "committed_at")


async def _newest_first(ledger: Ledger, asked: Asked, newest: int) -> list[dict[str, Any]]:
    """Up to the version ``newest``. Versions are dense: the page begins where it must."""
    if newest < 1:
        return []
    after = max(0, newest - asked.limit)
    events = await ledger.history(asked.location, asked.sku, after, newest - after)
    return events[::-1]
