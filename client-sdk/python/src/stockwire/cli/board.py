"""The live table of ``stockwire watch``. Pure: events, times and the size of the terminal come in, text comes out.

What has just changed flashes, by colour and by a mark, so that it is seen without colours too. If not every level fits,
those that changed last are shown; rows keep their places.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from rich.text import Text

from stockwire.cli.columns import GAP, cut, fitted
from stockwire.cli.counted import counted
from stockwire.level import Level
from stockwire.stream import LevelChanged, Reconnecting, Snapshot, StreamEvent
from stockwire.view import Key, State, View

FLASH_S = 1.2
BACK_S = 5.0
"""How long the line that says what an interruption cost stays."""
ROWS_MIN = 1
CHROME = 4
"""Lines around the rows: headline, connection, heading, footer."""
NAME_WIDTH_MIN, NAME_WIDTH_MAX = 10, 64
LOCATION_WIDTH = 12
UP, DOWN = "▲", "▼"
HELD = "not dim yellow"
"""Of units that are reserved, also where nothing is available any more."""

_STATE_STYLES = {
    State.FRESH: "bold green",
    State.STALE: "bold yellow",
    State.CONNECTING: "bold yellow",
    State.CLOSED: "bold red",
}
_LEAST_WIDTHS = {"on hand": 7, "reserved": 8, "available": 9, "change": 8, "last": 13}
_FIRST_TO_GO = ("last", "on hand", "reserved", "change")


class Board:
    """``clock``: seconds, monotonic. ``now``: the time of day, for a terminal."""

    def __init__(
        self, location: str, view: View, *, clock: Callable[[], float], now: Callable[[], datetime] = datetime.now
    ) -> None:
        self._now = now
        self._lost_time: datetime | None = None
        self._location = location
        self._view = view
        self._clock = clock
        self._changed: dict[Key, tuple[float, int]] = {}
        """When and by how much, in the order of change."""
        self._available: dict[Key, int] = {}
        self._begun = False
        self._changes = 0
        self._losses = 0
        self._lost_at: float | None = None
        self._trying: tuple[float, Reconnecting] | None = None
        self._back: tuple[float, str] | None = None

    def note(self, event: StreamEvent) -> None:
        match event:
            case LevelChanged(level):
                self._note_change(level)
            case Snapshot(levels, recovered):
                self._note_snapshot(levels, recovered)
            case Reconnecting():
                if self._lost_at is None:
                    self._losses += 1
                    self._lost_at, self._lost_time = self._clock(), self._now()
                self._trying = (self._clock() + event.after_s, event)
                self._back = None

    def render(self, width: int, height: int) -> Text:
        """At most ``height`` lines, none wider than ``width`` columns."""
        rows = max(ROWS_MIN, height - CHROME)
        shown = self._shown(rows)
        cells = [self._cells(level) for level in shown]
        titles = self._titles(cells, width)
        lines = [self._headline(width), self._connection(width), self._heading(titles)]
        lines += [self._row(level, row, titles) for level, row in zip(shown, cells, strict=True)]
        if not shown and self._view.state is not State.CONNECTING:
            lines.append(Text(cut("Nothing has ever been booked here.", width), style="dim"))
        if (hidden := len(self._view) - len(shown)) > 0:
            lines.append(Text(cut(f"and {hidden:,} more; those that changed last are shown", width), style="dim"))
        return Text("\n", no_wrap=True, end="").join(lines[:height])

    def _note_change(self, level: Level) -> None:
        self._changes += 1
        before = self._available.get(level.key, 0)
        self._available[level.key] = level.available
        self._changed.pop(level.key, None)  # so that the order of the dict is the order of change
        self._changed[level.key] = (self._clock(), level.available - before)

    def _note_snapshot(self, levels: Sequence[Level], recovered: bool) -> None:
        if self._lost_at is not None:
            gone_s = self._clock() - self._lost_at
            what = f"resumed, {counted(len(levels), 'level')} changed meanwhile" if recovered else "with a new snapshot"
            self._back = (self._clock(), f"back after {gone_s:.1f} s: {what}")
        self._lost_at = self._trying = None
        if not self._begun:  # what a later one brings is told as changes, and flashes as such
            self._available = {level.key: level.available for level in levels}
        self._begun = True

    def _shown(self, rows: int) -> list[Level]:
        """All if they fit, else the last changed; either way by key, so that rows keep their places."""
        if len(self._view) <= rows:
            return [self._view[key] for key in sorted(self._view)]
        keys = [key for key in reversed(self._changed) if key in self._view][:rows]
        for key in self._view:
            if len(keys) >= rows:
                break
            if key not in self._changed:
                keys.append(key)
        return [self._view[key] for key in sorted(keys)]

    def _cells(self, level: Level) -> dict[str, str]:
        difference = self._difference(level)
        mark = (UP if difference > 0 else DOWN) + " " if difference and self._flashing(level) else ""
        moment = level.committed_at.astimezone() if level.committed_at else None
        return {
            "on hand": str(level.on_hand),
            "reserved": str(level.reserved),
            "available": str(level.available),
            "change": f"{mark}{difference:+d}" if difference else "",
            "last": f"{level.kind} {moment:%H:%M:%S}" if moment else "never moved",
        }

    def _titles(self, rows: Sequence[dict[str, str]], width: int) -> dict[str, int]:
        """The columns that fit beside the names, in order, with their widths. ``available`` always stands."""
        widths = {
            title: max(least, *(len(row[title]) for row in rows), len(title)) if rows else least
            for title, least in _LEAST_WIDTHS.items()
        }
        names = NAME_WIDTH_MIN + (GAP + LOCATION_WIDTH if self._location == "*" else 0)
        for title in _FIRST_TO_GO:
            if names + sum(GAP + column for column in widths.values()) <= width:
                break
            del widths[title]
        left = width - sum(GAP + column for column in widths.values())
        if self._location == "*":
            left -= GAP + LOCATION_WIDTH
            widths = {"location": LOCATION_WIDTH, **widths}
        return {"sku": max(1, min(NAME_WIDTH_MAX, left)), **widths}

    def _heading(self, titles: dict[str, int]) -> Text:
        return Text(_joined(_parts(titles, {title: title for title in titles})), style="bold")

    def _row(self, level: Level, cells: dict[str, str], titles: dict[str, int]) -> Text:
        fresh = self._view.state is State.FRESH
        parts = _parts(titles, {"sku": level.sku, "location": level.location, **cells})
        if fresh and self._flashing(level) and (difference := self._difference(level)):
            return Text(_joined(parts), style="bold reverse green" if difference > 0 else "bold reverse red")
        row = Text("", style="" if fresh and level.available else "dim")
        for title, part in parts.items():
            row.append(
                (" " * GAP if row else "") + part, HELD if title == "reserved" and level.reserved and fresh else ""
            )
        return row

    def _difference(self, level: Level) -> int:
        return self._changed[level.key][1] if level.key in self._changed else 0

    def _flashing(self, level: Level) -> bool:
        return level.key in self._changed and self._clock() - self._changed[level.key][0] < FLASH_S

    def _headline(self, width: int) -> Text:
        state = self._view.state
        known = self._view.lag_ms if self._lost_at is None else None  # of a connection that is gone it says nothing
        lag = "" if known is None else f"  lag {known} ms"
        lost = f"  {counted(self._losses, 'reconnect')}" if self._losses else ""
        name = cut("all locations" if self._location == "*" else self._location, max(1, width // 3))
        line = Text.assemble(
            (name, "bold"),
            "  ",
            (state.value, _STATE_STYLES[state]),
            f"{lag}  {counted(len(self._view), 'level')}  {counted(self._changes, 'change')}{lost}",
        )
        line.truncate(width, overflow="ellipsis")
        return line

    def _connection(self, width: int) -> Text:
        now = self._clock()
        if self._trying is not None and self._view.state is State.CONNECTING:
            at, event = self._trying
            when = f"in {at - now:.1f} s" if at > now else "now"
            return Text(cut(f"{self._gone(now)}try {event.attempt} {when}: {event.reason}", width), style="yellow")
        if self._back is not None and now - self._back[0] < BACK_S:
            return Text(cut(self._back[1], width), style="green")
        return Text("")

    def _gone(self, now: float) -> str:
        if self._lost_at is None or self._lost_time is None:
            return ""
        return f"disconnected for {now - self._lost_at:.0f} s, shown as of {self._lost_time:%H:%M:%S}; "


def _parts(titles: dict[str, int], cells: dict[str, str]) -> dict[str, str]:
    """Names stand on the left, numbers on the right of their columns."""
    return {
        title: fitted(cells[title], width, right=title not in ("sku", "location", "last"))
        for title, width in titles.items()
    }


def _joined(parts: dict[str, str]) -> str:
    return (" " * GAP).join(parts.values())
