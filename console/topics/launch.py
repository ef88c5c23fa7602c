"""Launch: what sells now, how long it lasts, and whether all is well."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from console.moments import text_of
from console.topics.arguments import Arguments
from console.topics.as_of import AsOf
from console.topics.figures import (
    CLOCKS,
    clocks_differ_s,
    holds_open,
    log_rates,
    screens,
    segments,
    summed_rate,
    troubles,
    with_reasons,
)
from console.topics.refused import Refused
from console.topics.topic import Topic
from console.topics.watch import Watch
from console.watched.audit import HOW
from console.watched.events import Key
from console.watched.node import LEDGER
from console.watched.paces import WINDOW_S, minutes_left

ROWS_MAX = 50
HAD_MOST = "the most that was available since then"
HAD_THEN = "what was available then"
NO_AUDIT = "no event was seen yet"
NO_HOLDS = "no ledger says how many are open"


@dataclass(frozen=True, slots=True)
class Asked:
    """``since_s``: the time of which `had` is told; None: the most since the console knows of the level."""

    location: str
    limit: int
    since_s: float | None


class Launch(Topic[Asked]):
    name = "launch"
    rows = "skus"
    key = ("sku", "location")

    def __init__(self, watch: Watch, as_of: AsOf) -> None:
        super().__init__(watch)
        self._as_of = as_of

    def read(self, arguments: Arguments) -> Asked:
        return Asked(arguments.text("location"), arguments.whole("limit", 20, 1, ROWS_MAX), arguments.moment("since"))

    async def data(self, asked: Asked) -> dict[str, Any]:
        watch, now = self.watch, time.time()
        refused = Refused(watch)
        keys = watch.log.paces.on_sale(now, asked.location, asked.limit)
        point = watch.history.newest
        return {
            "at": text_of(now),
            "state": watch.levels.state,
            "window_s": WINDOW_S,
            "watched_since": text_of(watch.log.since_s),
            "totals": self._totals(now),
            "segments": segments(watch),
            "point": point.fields() if point else None,
            "wrong": troubles(watch),
            "skus": await asyncio.gather(*(self._row(key, asked, refused, now) for key in keys)),
            "up": watch.control.state,
        }

    def _totals(self, now: float) -> dict[str, Any]:
        watch = self.watch
        audit = watch.log.audit
        changes, sold = log_rates(watch, now)
        holds = holds_open(watch)
        live = watch.levels.state != "connecting"
        none_yet = not audit.oversold and (watch.log.away is not None or not audit.events)  # found wrong stays found
        figures = with_reasons(
            {
                "oversold": (None if none_yet else audit.oversold, watch.log.away or NO_AUDIT),
                "sold_per_s": sold,
                "changes_per_s": changes,
                "refused_per_s": summed_rate(watch, "ledger", f"{LEDGER}refused_total"),
                "held": (watch.levels.table.reserved if live else None, "no hub is connected to"),
                "holds_open": (round(sum(holds.values())) if holds else None, NO_HOLDS),
                "screens": screens(watch),
            }
        )
        since = None if audit.since_s is None else text_of(audit.since_s)
        return {**figures, "audit": {"events": audit.events, "levels": audit.levels, "since": since, "how": HOW}}

    async def _row(self, key: Key, asked: Asked, refused: Refused, now: float) -> dict[str, Any]:
        sku, location = key
        pace = self.watch.log.paces.of(key)
        sold_per_s, taken_per_s = self.watch.log.paces.per_s(key, now)
        level = self.watch.levels.table.level(sku, location)
        available = level.available if level else None
        had: tuple[int | None, str]
        if asked.since_s is None:
            had, had_at, had_is = (
                (pace.had if pace else None, "it did not move"),
                pace and text_of(pace.had_s),
                HAD_MOST,
            )
        else:
            sure = level.version if level and self.watch.levels.state == "live" else None
            then = await self._as_of.at(sku, location, asked.since_s, sure)
            had, had_at, had_is = (then["available"], then["unknown"].get("available", "")), then["moment"], HAD_THEN
        left = round(100 * available / had[0], 1) if available is not None and had[0] else None
        no_pace = self.watch.log.away  # then nobody knows what was taken since
        if no_pace is None and clocks_differ_s(self.watch, now) is not None:
            no_pace = CLOCKS  # paces go by when something was committed
        if no_pace is not None:
            sold_per_s = taken_per_s = None
        minutes = None if available is None else minutes_left(available, taken_per_s)
        away = "no hub says how it stands"
        times, refused_per_s = refused.of_level(sku, location)
        figures = with_reasons(
            {
                "available": (available, away),
                "on_hand": (level.on_hand if level else None, away),
                "held": (level.reserved if level else None, away),
                "had": had,
                "left_percent": (left, away if available is None else had[1] or "there was nothing"),
                "sold": (pace.sold if pace else None, "it did not move"),
                "sold_per_s": (None if sold_per_s is None else round(sold_per_s, 2), no_pace or "it did not move"),
                "minutes_left": (
                    _rounded(minutes),
                    away if available is None else no_pace or "nothing was taken in the last minute",
                ),
                "refused": times,
                "refused_per_s": refused_per_s,
            }
        )
        return {
            "sku": sku,
            "location": location,
            "name": self.watch.name_of(sku),
            **figures,
            "had_at": had_at,
            "had_is": had_is,
            "version": level.version if level else 0,
            "committed_at": text_of(level.committed_at.timestamp()) if level and level.committed_at else None,
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
