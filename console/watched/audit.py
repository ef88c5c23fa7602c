"""Whether anything was oversold: every event that is seen is added up. Pure.

It believes nothing that the event states of the level, but what follows from the one before it and what it changed.
"""

from collections import OrderedDict

from console.watched.events import Event, Key, key_of

LEVELS_MAX = 200_000
"""Of which the last event is remembered: the next one of a level that was forgotten is checked by itself alone."""
WRONG_MAX = 1_000
"""Levels remembered as wrong; more say no more."""
HOW = (
    "every event was added up: no level fell below 0 or below what is reserved, no version and no number of the log was"
    " left out"
)


class Audit:
    """``events``: how many were checked. ``since_s``: from when on all were, of every shard's log."""

    def __init__(self) -> None:
        self.events = 0
        self.since_s: float | None = None
        self._levels: OrderedDict[Key, tuple[int, int, int]] = OrderedDict()
        self._last: dict[int, int] = {}
        self._wrong: dict[Key, str] = {}

    @property
    def levels(self) -> int:
        return len(self._levels)

    @property
    def oversold(self) -> int:
        """Levels found wrong."""
        return len(self._wrong)

    @property
    def wrong(self) -> list[tuple[Key, str]]:
        return list(self._wrong.items())

    def check(self, event: Event, committed_s: float) -> None:
        self.events += 1
        if self.since_s is None or self._begins_late(event):
            self.since_s = max(committed_s, self.since_s or committed_s)
        key = key_of(event)
        reason = self._of_log(event) or self._of_level(event, self._levels.get(key))
        if reason and len(self._wrong) < WRONG_MAX:
            self._wrong.setdefault(key, reason)
        self._levels[key] = event["version"], event["on_hand"], event["reserved"]
        self._levels.move_to_end(key)
        if len(self._levels) > LEVELS_MAX:
            self._levels.popitem(last=False)

    def _begins_late(self, event: Event) -> bool:
        """There was more of this shard's log, which was not seen."""
        return event["shard"] not in self._last and event["seq"] > 1

    def _of_log(self, event: Event) -> str:
        last = self._last.get(event["shard"])
        self._last[event["shard"]] = event["seq"]
        left_out = last is not None and event["seq"] != last + 1
        return f"seq {event['seq']} of shard {event['shard']} follows {last}" if left_out else ""

    @staticmethod
    def _of_level(event: Event, before: tuple[int, int, int] | None) -> str:
        on_hand, reserved, version = event["on_hand"], event["reserved"], event["version"]
        if on_hand < 0 or not 0 <= reserved <= on_hand or event["available"] != on_hand - reserved:
            return f"version {version} has {on_hand} on hand, {reserved} reserved, {event['available']} available"
        if before is None:
            return ""
        expected = before[0] + 1, before[1] + event["on_hand_delta"], before[2] + event["reserved_delta"]
        if (version, on_hand, reserved) != expected:
            return f"version {version} has {on_hand} on hand, {reserved} reserved where {expected} was to come"
        return ""
