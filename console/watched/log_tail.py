"""The newest events of the log in memory, and what a filter lets through. Pure."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from console.watched.events import Event

EVENTS_MAX = 10_000
"""Some 15 MB. Older ones are read from the ledger when somebody goes back."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty: whatever it is."""

    sku: str = ""
    location: str = ""
    actor: str = ""
    kind: str = ""
    operation: str = ""

    def lets(self, event: Event) -> bool:
        return (
            self.sku in ("", event["sku"])
            and self.location in ("", event["location"])
            and self.actor in ("", event["actor"])
            and self.kind in ("", event["kind"])
            and self.operation in ("", event["operation"])
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first. ``looked_at``: events that were read for it; ``oldest``: the last of these. ``next``: by shard, up
    to which seq (included) the next older page reads."""

    events: tuple[Event, ...]
    looked_at: int
    oldest: Event | None
    next: Mapping[int, int]


class LogTail:
    def __init__(self, events_max: int = EVENTS_MAX) -> None:
        self._events: deque[Event] = deque(maxlen=events_max)

    def add(self, events: Iterable[Event]) -> None:
        self._events.extend(events)

    def clear(self) -> None:
        self._events.clear()

    def __len__(self) -> int:
        return len(self._events)

    def newest(self, wanted: Filter, most: int) -> Page:
        """What stands here, in the order in which it was heard: shard by shard as committed."""
        return page_of(reversed(self._events), wanted, most)


def page_of(newest_first: Iterator[Event], wanted: Filter, most: int) -> Page:
    found: list[Event] = []
    following: dict[int, int] = {}
    looked_at, oldest = 0, None
    for event in newest_first:
        looked_at, oldest = looked_at + 1, event
        following[event["shard"]] = event["seq"] - 1
        if wanted.lets(event):
            found.append(event)
            if len(found) >= most:
                break
    return Page(tuple(found), looked_at, oldest, following)


def cursor_of(following: Mapping[int, int]) -> str | None:
    """As pages carry it. None if there is nothing older.

    >>> cursor_of({1: 12, 0: 124}), cursor_of({0: 0}), read_cursor("0:124,1:12")
    ('0:124,1:12', None, {0: 124, 1: 12})
    """
    left = {shard: seq for shard, seq in following.items() if seq > 0}
    return ",".join(f"{shard}:{seq}" for shard, seq in sorted(following.items())) if left else None


def read_cursor(text: str) -> dict[int, int]:
    """Raises ValueError."""
    parts = [part.split(":") for part in text.split(",")]
    if any(
        len(part) != 2 or not all(one.isascii() and one.isdigit() and len(one) < 19 for one in part) for part in parts
    ):
        raise ValueError("no cursor of this console")
    return {int(shard): int(seq) for shard, seq in parts}
