"""The live table of ``stockwire watch``: what changed last stands on top of what does not fit, and flashes."""

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stockwire.level import Level
from stockwire.stream import LevelChanged, Reconnecting, Snapshot, StreamEvent
from stockwire.view import Key, State, View

FLASH_S = 1.2
ROWS_MIN = 5

_STATE_STYLES = {
    State.FRESH: "bold green",
    State.STALE: "bold yellow",
    State.CONNECTING: "bold yellow",
    State.CLOSED: "bold red",
}


class Board:
    """``rows_max``: how many rows fit now. ``clock``: seconds, monotonic."""

    def __init__(self, location: str, view: View, *, rows_max: Callable[[], int], clock: Callable[[], float]) -> None:
        self._location = location
        self._view = view
        self._rows_max = rows_max
        self._clock = clock
        self._flashes: dict[Key, tuple[float, int]] = {}
        self._available: dict[Key, int] = {}
        self._changes = 0
        self._trouble = ""

    def note(self, event: StreamEvent) -> None:
        match event:
            case LevelChanged(level):
                self._changed(level)
            case Snapshot(levels, recovered):
                self._trouble = ""
                if not recovered:
                    self._available.clear()
                    self._flashes.clear()
                for level in levels:
                    self._available[level.key] = level.available
            case Reconnecting(attempt, after_s, reason):
                self._trouble = f"try {attempt} in {after_s:.1f} s: {reason}"

    def render(self) -> RenderableType:
        rows = max(ROWS_MIN, self._rows_max())
        shown = self._shown(rows)
        table = Table(box=None, pad_edge=False, expand=False)
        table.add_column("sku", no_wrap=True, max_width=24)
        if self._location == "*":
            table.add_column("location", no_wrap=True, max_width=16)
        for name in ("on hand", "reserved", "available", "change"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("last", no_wrap=True)
        for level in shown:
            table.add_row(*self._cells(level))
        hidden = len(self._view) - len(shown)
        more = Text(f"and {hidden} more; those that changed last are shown" if hidden > 0 else "", style="dim")
        return Group(self._headline(), table, more)

    def _changed(self, level: Level) -> None:
        self._changes += 1
        before = self._available.get(level.key, 0)
        self._available[level.key] = level.available
        self._flashes.pop(level.key, None)  # so that the order of the dict is the order of change
        self._flashes[level.key] = (self._clock(), level.available - before)

    def _shown(self, rows: int) -> list[Level]:
        """All if they fit, else the last changed; either way by key, so that rows keep their places."""
        if len(self._view) <= rows:
            return [self._view[key] for key in sorted(self._view)]
        keys = [key for key in reversed(self._flashes) if key in self._view][:rows]
        for key in self._view:
            if len(keys) >= rows:
                break
            if key not in self._flashes:
                keys.append(key)
        return [self._view[key] for key in sorted(keys)]

    def _cells(self, level: Level) -> list[Text]:
        at, difference = self._flashes.get(level.key, (float("-inf"), 0))
        flashing = self._clock() - at < FLASH_S
        style = ("reverse green" if difference > 0 else "reverse red") if flashing and difference else ""
        if not style and level.available == 0:
            style = "dim"
        cells = [level.sku]
        if self._location == "*":
            cells.append(level.location)
        cells += [str(level.on_hand), str(level.reserved), str(level.available)]
        cells.append(f"{difference:+d}" if flashing and difference else "")
        moment = level.committed_at.astimezone() if level.committed_at else None
        cells.append(f"{level.kind} {moment:%H:%M:%S}" if moment else "never moved")
        return [Text(cell, style=style) for cell in cells]

    def _headline(self) -> Text:
        state = self._view.state
        lag = f"  lag {self._view.lag_ms} ms" if self._view.lag_ms is not None else ""
        line = Text.assemble(
            ("all locations" if self._location == "*" else self._location, "bold"),
            "  ",
            (state.value, _STATE_STYLES[state]),
            f"{lag}  {len(self._view)} levels  {self._changes} changes",
        )
        if self._trouble and state is State.CONNECTING:
            line.append(f"  {self._trouble}", style="yellow")
        return line
