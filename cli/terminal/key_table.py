"""The keys of a running `stockwire up`: what each does, and what is refused and why. Pure: times are handed in."""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

KILLS_MAX = 5  # within WINDOW_S and for each hub: the supervisor gives up a child that dies more than ten times
WINDOW_S = 60.0


class Action(StrEnum):
    FLASH_SALE = "flash sale"
    KILL_HUB = "kill a hub"
    CUT_BROKER = "cut the broker"
    QUIT = "quit"
    HELP = "help"


KEYS = {
    "f": Action.FLASH_SALE,
    "k": Action.KILL_HUB,
    "b": Action.CUT_BROKER,
    "q": Action.QUIT,
    "h": Action.HELP,
    "?": Action.HELP,
}
_DOES = {
    "f": "flash sale: 500 buyers for 50 units, and the same done naively",
    "k": "kill a hub (the next one each time); says when every screen has healed",
    "b": "stop the broker for some seconds; sales and screens go on",
    "q": "quit, as by Ctrl-C",
}
HINT = "f flash sale · k kill a hub · b cut the broker · q quit · h help"
HELP = "\n".join(f"  {key}  {does}" for key, does in _DOES.items())


def action_of(typed: str) -> Action | None:
    """``typed``: what one read gave. A key that repeats is pressed once; a paste or an escape sequence is no key."""
    return KEYS.get(typed[0].lower()) if typed and set(typed) == {typed[0]} else None


@dataclass(slots=True)
class Turns:
    """What is under way, and how often which hub was killed of late. ``hubs``: how many there are."""

    hubs: int
    _under_way: set[Action] = field(default_factory=set)
    _kills: deque[tuple[float, int]] = field(default_factory=deque)
    _next_hub: int = 1

    @property
    def under_way(self) -> list[str]:
        return sorted(self._under_way)

    def begin(self, action: Action) -> str | None:
        """Why not, in words; None: it has begun, and ``end`` must follow."""
        if action in self._under_way:
            return f"{action}: one is under way already, wait for its end"
        self._under_way.add(action)
        return None

    def end(self, action: Action) -> None:
        self._under_way.discard(action)

    def hub_to_kill(self, now: float) -> int | None:
        """The next in turn, from 1; None if it was killed KILLS_MAX times within WINDOW_S. ``now``: monotonic s."""
        while self._kills and self._kills[0][0] <= now - WINDOW_S:
            self._kills.popleft()
        hub = self._next_hub
        if sum(killed == hub for _, killed in self._kills) >= KILLS_MAX:
            return None
        self._kills.append((now, hub))
        self._next_hub = hub % self.hubs + 1
        return hub
