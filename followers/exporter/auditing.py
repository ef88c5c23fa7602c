"""Each event against the one before it, of its shard and of its level. Pure.

A violation is taken as it is, and what comes next is judged by it: what broke once in the log is counted once.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from followers.exporter.counts import Counts
from followers.exporter.known import ON_THE_WAY, Known, Level
from followers.exporter.violations import (
    BALANCE,
    HISTORY,
    NEGATIVE,
    OVERSOLD,
    SEQS,
    TRANSIT,
    VERSIONS,
    Violations,
)

AGAIN_MAX = 250
"""Events of each shard, the newest, that are read a second time."""
NOTHING: Level = (0, 0, 0, 0)
"""How a level is before its first event."""

Event = Mapping[str, Any]
"""As ``GET /v1/events`` has it."""


class Audit:
    """``seqs``: of the last event of each shard that was looked at."""

    def __init__(self, seqs: Mapping[int, int], known: Known, violations: Violations, counts: Counts) -> None:
        self.seqs = dict(seqs)
        self.known = known
        self._violations = violations
        self._counts = counts
        self._told: dict[int, dict[int, int]] = {shard: {} for shard in seqs}

    def page(self, shard: int, events: Sequence[Event], head: int) -> None:
        """What comes behind ``seqs[shard]``. ``head``: of the shard, in the same snapshot if there is nothing."""
        if not events and head > self.seqs[shard]:
            self._violations.add(SEQS, f"shard {shard}: no event from {self.seqs[shard] + 1} up to its head, {head}")
            self.seqs[shard] = head
        for event in events:
            self._look_at(shard, event)
        self._counts.events += len(events)
        self._remember(shard, events)

    def tail(self, shard: int) -> tuple[int, int] | None:
        """The first and the last seq of those that are to be read again, if there are any."""
        told = self._told[shard]
        return (min(told), max(told)) if told else None

    def again(self, shard: int, first: int, last: int, events: Iterable[Event]) -> None:
        """``events``: all that the log has from ``first`` to ``last``, which was the ``tail`` when it was asked."""
        told = self._told[shard]
        first = max(first, min(told, default=last + 1))
        there: dict[int, int] = {}
        for event in events:
            if first <= event["seq"] <= last:
                there[event["seq"]] = there.get(event["seq"], 0) + _fingerprint(event)
        compared = [seq for seq in told if first <= seq <= last]
        for seq in compared:
            if seq not in there:
                self._violations.add(HISTORY, f"shard {shard}: event {seq} was told, and is gone")
                del told[seq]
            elif there[seq] != told[seq]:
                self._violations.add(HISTORY, f"shard {shard}: event {seq} is another one than was told")
                told[seq] = there[seq]
        for seq in there.keys() - told.keys():
            self._violations.add(HISTORY, f"shard {shard}: event {seq} came behind the audit")
            told[seq] = there[seq]
        self._counts.events_again += len(compared)

    def _look_at(self, shard: int, event: Event) -> None:
        seq, sku, location = event["seq"], event["sku"], event["location"]
        version, on_hand, reserved = event["version"], event["on_hand"], event["reserved"]
        last = self.seqs[shard]
        if seq != last + 1:
            self._violations.add(SEQS, f"shard {shard}: event {seq} follows {last}")
        if seq > last:
            self.seqs[shard] = seq
        if wrong := wrong_by_itself(location, on_hand, reserved):
            self._violations.add(wrong, f"{_place(event)}: on_hand {on_hand}, reserved {reserved}")
        all_of_them = self.known.all_of_them
        before = self.known.moved(sku, location, (version, on_hand, reserved, seq))
        if before is None and version != 1 and not all_of_them:
            self._counts.first_sights += 1
        else:
            self._chain(event, before or NOTHING)

    def _chain(self, event: Event, before: Level) -> None:
        version, on_hand, reserved, _ = before
        if event["version"] != version + 1:
            self._violations.add(VERSIONS, f"{_place(event)}: version {event['version']} follows {version}")
        elif (
            event["on_hand"] != on_hand + event["on_hand_delta"]
            or event["reserved"] != reserved + event["reserved_delta"]
        ):
            self._violations.add(BALANCE, f"{_place(event)}: {_sums(event, before)}")

    def _remember(self, shard: int, events: Sequence[Event]) -> None:
        told = self._told[shard]
        if len(events) >= AGAIN_MAX:
            told.clear()
        for event in events[-AGAIN_MAX:]:
            told[event["seq"]] = told.get(event["seq"], 0) + _fingerprint(event)
        for seq in list(islice(told, max(0, len(told) - AGAIN_MAX))):
            del told[seq]


def wrong_by_itself(location: str, on_hand: int, reserved: int) -> str | None:
    """The invariant that a level breaks, whatever it was before.

    >>> wrong_by_itself("berlin", 3, 3), wrong_by_itself("berlin", -1, 0), wrong_by_itself("berlin", 1, 2)
    (None, 'negative', 'oversold')
    >>> wrong_by_itself("transit:berlin", 2, 1)
    'transit'
    """
    if on_hand < 0 or reserved < 0:
        return NEGATIVE
    if on_hand < reserved:
        return OVERSOLD
    return TRANSIT if on_hand != reserved and location.startswith(ON_THE_WAY) else None


def _fingerprint(event: Event) -> int:
    """Of what an audit judges. Of text: to Python -1 and -2 have the same hash."""
    return hash(
        f"{event['sku']}/{event['location']}/{event['version']}/{event['kind']}/{event['on_hand_delta']}/"
        f"{event['reserved_delta']}/{event['on_hand']}/{event['reserved']}"
    )


def _place(event: Event) -> str:
    return f"shard {event['shard']} seq {event['seq']}, {event['sku']} at {event['location']}"


def _sums(event: Event, before: Level) -> str:
    return (
        f"on_hand {before[1]} {event['on_hand_delta']:+} is {event['on_hand']}, "
        f"reserved {before[2]} {event['reserved_delta']:+} is {event['reserved']}"
    )
