"""Judges a history: what clients were told, against the ledger's own order of events. Pure; for your load tests too.

Record every operation with the moments it was invoked and completed (`Recorder`), read every event of every shard
afterwards, and `judge` both. Nothing is sampled: an empty list of violations means that for this run

- each level's versions, each shard's seqs and all balances replay without a gap, never below zero nor what is reserved;
- every acknowledged operation stands exactly once and whole, one of unknown outcome at most once, any other never;
- the order of versions agrees with real time: no operation was over before one with a lower version began (strict
  serializability of each level: Herlihy and Wing, *Linearizability*, ACM TOPLAS 12(3), 1990; checked as Gibbons and
  Korach, SIAM J. Computing 26(4), 1997, do when the order of writes is known);
- every refusal was true of some version that can have been the newest while it was decided, and nobody was told of too
  few units while some were reserved whose time was over;
- no reservation let go of more than it held, and each holds what its events say.

Moments are seconds of one clock that never goes back, such as `time.monotonic` of one machine.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from stockwire.errors import (
    BelowReserved,
    OutOfStock,
    Refused,
    ReservationExpired,
    VersionConflict,
)
from stockwire.hold_history import ALWAYS, NEVER, RESERVE, HoldHistory
from stockwire.hold_history import HoldInvocation as HoldInvocation
from stockwire.level import Level
from stockwire.operation import Event
from stockwire.recorder import Invocation as Invocation
from stockwire.recorder import Recorder as Recorder
from stockwire.reservation import Reservation
from stockwire.view import Key

Call = Invocation | HoldInvocation


@dataclass(frozen=True, slots=True)
class Violation:
    """``kind``: gap, balance, lost, torn, doubled, ghost, order, unjustified, released or leaked. ``what`` names the
    numbers."""

    kind: str
    what: str


def judge(
    invocations: Iterable[Invocation | HoldInvocation],
    events: Iterable[Event],
    levels: Iterable[Level],
    *,
    whole: bool = True,
    reservations: Iterable[Reservation] = (),
) -> list[Violation]:
    """``events``, in any order, ``levels`` and ``reservations``: everything the ledger has, read when all was over.

    ``whole`` false: only of the levels that ``invocations`` touch, and events only since before the first of them.
    Events of operations that are not among ``invocations`` are taken as they are: they may have happened at any time.
    """
    log = sorted(events, key=_place)
    calls: dict[str, list[Call]] = defaultdict(list)
    about: dict[str, list[HoldInvocation]] = defaultdict(list)
    for call in invocations:
        calls[call.operation].append(call)
        if isinstance(call, HoldInvocation):
            about[call.operation].append(call)
    histories = _histories(log, levels, calls, whole)
    holds = HoldHistory(about, log, reservations)
    return [
        *(_gaps(log) if whole else ()),
        *(violation for history in histories.values() for violation in history.balances()),
        *_effects(calls, log),
        *(violation for history in histories.values() for violation in history.order()),
        *(Violation(*found) for found in holds.violations()),
        *_refusals(calls, histories, holds),
    ]


def _place(event: Event) -> tuple[int, int]:
    return event.shard, event.seq


def _gaps(log: Iterable[Event]) -> Iterable[Violation]:
    last: dict[int, int] = defaultdict(int)
    for event in log:
        if event.seq != last[event.shard] + 1:
            yield Violation("gap", f"shard {event.shard}: seq {event.seq} follows {last[event.shard]}")
        last[event.shard] = event.seq


class _State(NamedTuple):
    """Of a level after one of its events, and the longest time during which that can have been the newest."""

    version: int
    on_hand: int
    reserved: int
    since_s: float = NEVER
    until_s: float = ALWAYS


class _History:
    """One level: what it was before, its events in the order of seqs, and how it was read in the end."""

    def __init__(self, key: Key, before: _State, level: Level | None) -> None:
        self.key = key
        self.before = before
        self.level = level
        self.events: list[tuple[Event, float, float]] = []
        """Each with when it was asked for first, and when somebody knew that it had happened."""

    def balances(self) -> Iterator[Violation]:
        """Replayed: no version left out, every number the sum of what came before, none below what it may be."""
        held = self.before
        for event, *_ in self.events:
            replayed = held.version + 1, held.on_hand + event.on_hand_delta, held.reserved + event.reserved_delta
            held = _State(event.version, event.on_hand, event.reserved)
            if held[:3] != replayed:
                yield Violation("balance", f"{self.key}: {held[:3]} stands where {replayed} follows")
            if not 0 <= event.reserved <= event.on_hand or event.available != event.on_hand - event.reserved:
                yield Violation("balance", f"{self.key} version {event.version}: {event.on_hand}, {event.reserved}")
        if self.level is None or (self.level.version, self.level.on_hand, self.level.reserved) != held[:3]:
            yield Violation("balance", f"{self.key}: read as {self.level}, its events end at {held[:3]}")

    def order(self) -> Iterator[Violation]:
        """Scanning versions upward: none was over before one below it began."""
        latest_s, of = NEVER, 0
        for event, began_s, ended_s in self.events:
            if ended_s < latest_s:
                yield Violation(
                    "order",
                    f"{self.key}: version {event.version} was acknowledged {latest_s - ended_s:.6f} s before version "
                    f"{of} was asked for",
                )
            if began_s > latest_s:
                latest_s, of = began_s, event.version

    @cached_property
    def states(self) -> list[_State]:
        """A version reigns from when it, and all below it, can have happened, until one above it is known to have."""
        since = accumulate((began for _, began, _ in self.events), max, initial=NEVER)
        until = [*accumulate((ended for *_, ended in reversed(self.events)), min, initial=ALWAYS)]
        numbers = [self.before[:3], *((event.version, event.on_hand, event.reserved) for event, *_ in self.events)]
        return [_State(*one, *reign) for one, *reign in zip(numbers, since, reversed(until), strict=True)]


def _histories(
    log: Sequence[Event], levels: Iterable[Level], calls: Mapping[str, Sequence[Call]], whole: bool
) -> dict[Key, _History]:
    read = {level.key: level for level in levels}
    histories: dict[Key, _History] = {}
    for event in log:
        key = event.location, event.sku
        if key not in histories:
            histories[key] = _History(key, _State(0, 0, 0) if whole else _before(event), read.get(key))
        histories[key].events.append((event, *_window(event.operation, calls)))
    for key, level in read.items():
        if key not in histories:
            numbers = _State(0, 0, 0) if whole else _State(level.version, level.on_hand, level.reserved)
            histories[key] = _History(key, numbers, level)
    return histories


def _before(event: Event) -> _State:
    return _State(event.version - 1, event.on_hand - event.on_hand_delta, event.reserved - event.reserved_delta)


def _window(operation: str, calls: Mapping[str, Sequence[Call]]) -> tuple[float, float]:
    """From the first call with this key until somebody knew that it had happened."""
    same = calls.get(operation, ())
    began_s = min((call.invoked_s for call in same), default=NEVER)
    return began_s, min((call.completed_s for call in same if call.result is not None), default=ALWAYS)


def _effects(calls: Mapping[str, Sequence[Call]], log: Iterable[Event]) -> Iterator[Violation]:
    """What each key did, against what its callers were told."""
    done: dict[str, list[Event]] = defaultdict(list)
    for event in log:
        done[event.operation].append(event)
    for operation, same in calls.items():
        events = done.get(operation, [])
        name = f"operation {operation} (key {same[0].key})"
        results = [call.result for call in same if call.result is not None]
        if not events and any(result.events for result in results):
            yield Violation("lost", f"{name} was acknowledged and does not stand")
        elif events and not results and not any(call.unknown for call in same):
            yield Violation("ghost", f"{name} was answered with {same[0].answer!r} and stands all the same")
        elif events:
            yield from _effect(name, same[0], events)
            if any(sorted(result.events, key=_place) != events for result in results):
                yield Violation("torn", f"{name} was answered with other events than stand")


def _effect(name: str, call: Call, events: Iterable[Event]) -> Iterator[Violation]:
    """One event for each level, of as many units as all its lines together."""
    stand: dict[Key, list[Event]] = defaultdict(list)
    for event in events:
        stand[event.location, event.sku].append(event)
    for key, same in stand.items():
        if len(same) > 1:
            yield Violation("doubled", f"{name} changed {key} {len(same)} times")
    if isinstance(call, HoldInvocation):
        yield from _reserved(name, call, stand)
        return
    asked: dict[Key, int] = defaultdict(int)
    for line in call.lines:
        asked[line.location, line.sku] += line.quantity
    for key in asked.keys() | stand.keys():
        found = [event.on_hand if call.counts else event.on_hand_delta for event in stand.get(key, ())]
        if len(found) < 2 and found != [asked.get(key)]:
            yield Violation("torn", f"{name} asked for {asked.get(key)} at {key}, and {found} stands")


def _reserved(name: str, call: HoldInvocation, stand: Mapping[Key, Sequence[Event]]) -> Iterator[Violation]:
    """All units of each line, at its locations and nowhere else."""
    if call.asked != RESERVE:
        return
    places = {(place, line.sku) for line in call.lines for place in line.locations}
    if not stand.keys() <= places:
        yield Violation("torn", f"{name} reserved of {stand.keys() - places}, which were not asked for")
    for line in call.lines:
        same = (event for place in line.locations for event in stand.get((place, line.sku), ()))
        units = sum(event.reserved_delta for event in same)
        if units != line.quantity:
            yield Violation("torn", f"{name} asked for {line.quantity} of {line.sku}, and {units} were reserved")


def _refusals(
    calls: Mapping[str, Sequence[Call]], histories: Mapping[Key, _History], holds: HoldHistory
) -> Iterator[Violation]:
    """Each was true of a version that can have been the newest at some moment while it was decided, and, if it was for
    too few units, of which none were reserved whose time was over."""
    for same in calls.values():
        began_s = min(call.invoked_s for call in same)  # a repeated key gets the refusal that was decided first
        for call in same:
            if not isinstance(call.answer, Refused):
                continue
            for key, is_true in _claims(call.answer, call):
                states = histories[key].states if key in histories else [_State(0, 0, 0)]
                reigned = (one for one in states if one.since_s <= call.completed_s and began_s <= one.until_s)
                too_few = not isinstance(call.answer, VersionConflict)
                true = (one for one in reigned if is_true(one))
                if not any(not (too_few and holds.overdue(key, one.version, began_s)) for one in true):
                    when = f"asked at {call.invoked_s:.6f}, told at {call.completed_s:.6f}"
                    yield Violation("unjustified", f"no version of {key} in its time bears out: {call.answer}; {when}")


_Claim = tuple[Key, Callable[[_State], bool]]


def _claims(refusal: Refused, call: Call) -> list[_Claim]:
    """The levels that a refusal speaks of, and whether a version of each bears it out."""
    if isinstance(call, HoldInvocation):
        return _claims_of_hold(refusal, call)
    match refusal:
        case OutOfStock(sku=sku, location=location, requested=requested, available=available):
            asked = -sum(line.quantity for line in call.lines if (line.sku, line.location) == (sku, location))
            possible = requested == asked > available
            return [((location, sku), lambda state: possible and state.on_hand - state.reserved == available)]
        case VersionConflict(expected_version=expected, current=current):
            possible = expected != current.version and any(line.if_version == expected for line in call.lines)
            numbers = current.version, current.on_hand, current.reserved
            return [(current.key, lambda state: possible and state[:3] == numbers)]
        case BelowReserved(sku=sku, location=location, on_hand=on_hand, reserved=reserved):
            return [((location, sku), lambda state: on_hand < reserved == state.reserved)]
        case _:
            return [(("", ""), lambda _: False)]


def _claims_of_hold(refusal: Refused, call: HoldInvocation) -> list[_Claim]:
    """What is refused for the state that a reservation is in, or for a limit, says nothing of a level."""
    match refusal:
        case OutOfStock(sku=sku, location=location, requested=requested, available=available, locations=locations):
            units = {line.quantity for line in call.lines if line.sku == sku and location in line.locations}
            possible = requested > available and (call.asked != RESERVE or units == {requested})
            there = locations or {location: available}
            return [_of_available((place, sku), units if possible else -1) for place, units in there.items()]
        case ReservationExpired(sku=str(sku), location=str(location), available=int(available)):
            return [_of_available((location, sku), available)]
        case _:
            return []


def _of_available(key: Key, available: int) -> _Claim:
    return key, lambda state: state.on_hand - state.reserved == available
