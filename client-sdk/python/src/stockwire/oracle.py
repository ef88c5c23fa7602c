"""Judges a history: what clients were told, against the ledger's own order of events. Pure; for your load tests too.

Record every operation with the moments it was invoked and completed (`Recorder`), read every event of every shard
afterwards, and `judge` both. Nothing is sampled: an empty list of violations means that for this run

- each level's versions, each shard's seqs and all balances replay without a gap, never below zero nor what is reserved;
- every acknowledged operation stands exactly once and whole, one of unknown outcome at most once, any other never;
- the order of versions agrees with real time: no operation was over before one with a lower version began (strict
  serializability of each level: Herlihy and Wing, *Linearizability*, ACM TOPLAS 12(3), 1990; checked as Gibbons and
  Korach, SIAM J. Computing 26(4), 1997, do when the order of writes is known);
- every refusal was true of some version that can have been the newest while it was decided.

Moments are seconds of one clock that never goes back, such as `time.monotonic` of one machine.
"""

import hashlib
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

from stockwire.asyncio import AsyncClient
from stockwire.errors import BelowReserved, OutcomeUnknown, OutOfStock, Refused, StockwireError, VersionConflict
from stockwire.level import Level
from stockwire.operation import Event, Line, OperationResult
from stockwire.view import Key

COUNT = "count"
NEVER, ALWAYS = float("-inf"), float("inf")


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call as its client saw it. A key that was used by several calls has several.

    ``lines``: of kind ``count``, with the units counted as quantity, for a count. ``answer``: the result, the error
    raised, or None if the client never knew.
    """

    owner: str
    key: str
    lines: tuple[Line, ...]
    invoked_s: float
    completed_s: float
    answer: OperationResult | StockwireError | None

    @property
    def counts(self) -> bool:
        return self.lines[0].kind == COUNT

    @property
    def unknown(self) -> bool:
        return self.answer is None or isinstance(self.answer, OutcomeUnknown)

    @property
    def operation(self) -> str:
        """The id that the ledger gives it: the first 128 bits of SHA-256 over owner, a zero byte and key."""
        return str(uuid.UUID(bytes=hashlib.sha256(f"{self.owner}\0{self.key}".encode()).digest()[:16]))


@dataclass(frozen=True, slots=True)
class Violation:
    """``kind``: gap, balance, lost, torn, doubled, ghost, order or unjustified. ``what`` names the numbers."""

    kind: str
    what: str


@dataclass
class Recorder:
    """Runs operations of one owner and keeps what happened, in ``invocations``. Share it between tasks, not threads."""

    owner: str
    clock: Callable[[], float] = time.monotonic
    invocations: list[Invocation] = field(default_factory=list[Invocation])

    async def operation(self, client: AsyncClient, lines: Sequence[Line], *, key: str | None = None) -> OperationResult:
        """As `AsyncClient.operation`, and raises what it raises; a call that is cancelled has an unknown outcome."""
        key = key or str(uuid.uuid4())
        return await self._record(key, tuple(lines), client.operation(lines, key=key))

    async def count(
        self, client: AsyncClient, sku: str, location: str, on_hand: int, *, if_version: int | None
    ) -> OperationResult:
        """As `Stock.count`."""
        key = str(uuid.uuid4())
        line = Line(sku, location, on_hand, COUNT, if_version=if_version)
        call = client.stock.count(sku, location, on_hand, if_version=if_version, key=key)
        return await self._record(key, (line,), call)

    async def _record(
        self, key: str, lines: tuple[Line, ...], call: Coroutine[Any, Any, OperationResult]
    ) -> OperationResult:
        invoked_s = self.clock()
        answer: OperationResult | StockwireError | None = None
        try:
            answer = await call
            return answer
        except StockwireError as error:
            answer = error
            raise
        finally:
            self.invocations.append(Invocation(self.owner, key, lines, invoked_s, self.clock(), answer))


def judge(
    invocations: Iterable[Invocation], events: Iterable[Event], levels: Iterable[Level], *, whole: bool = True
) -> list[Violation]:
    """``events``, in any order, and ``levels``: everything the ledger has, read when all was over.

    ``whole`` false: only of the levels that ``invocations`` touch, and events only since before the first of them.
    Events of operations that are not among ``invocations`` are taken as they are: they may have happened at any time.
    """
    log = sorted(events, key=_place)
    calls: dict[str, list[Invocation]] = defaultdict(list)
    for call in invocations:
        calls[call.operation].append(call)
    histories = _histories(log, levels, calls, whole)
    return [
        *(_gaps(log) if whole else ()),
        *(violation for history in histories.values() for violation in history.balances()),
        *_effects(calls, log),
        *(violation for history in histories.values() for violation in history.order()),
        *_refusals(calls, histories),
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
    log: Sequence[Event], levels: Iterable[Level], calls: Mapping[str, Sequence[Invocation]], whole: bool
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


def _window(operation: str, calls: Mapping[str, Sequence[Invocation]]) -> tuple[float, float]:
    """From the first call with this key until somebody knew that it had happened."""
    same = calls.get(operation, ())
    began_s = min((call.invoked_s for call in same), default=NEVER)
    return began_s, min((call.completed_s for call in same if isinstance(call.answer, OperationResult)), default=ALWAYS)


def _effects(calls: Mapping[str, Sequence[Invocation]], log: Iterable[Event]) -> Iterator[Violation]:
    """What each key did, against what its callers were told."""
    done: dict[str, list[Event]] = defaultdict(list)
    for event in log:
        done[event.operation].append(event)
    for operation, same in calls.items():
        events = done.get(operation, [])
        name = f"operation {operation} (key {same[0].key})"
        results = [call.answer for call in same if isinstance(call.answer, OperationResult)]
        if results and not events:
            yield Violation("lost", f"{name} was acknowledged and does not stand")
        elif events and not results and not any(call.unknown for call in same):
            yield Violation("ghost", f"{name} was answered with {same[0].answer!r} and stands all the same")
        elif events:
            yield from _effect(name, same[0], events)
            if any(sorted(result.events, key=_place) != events for result in results):
                yield Violation("torn", f"{name} was answered with other events than stand")


def _effect(name: str, call: Invocation, events: Iterable[Event]) -> Iterator[Violation]:
    """One event for each level, of as many units as all its lines together."""
    asked: dict[Key, int] = defaultdict(int)
    for line in call.lines:
        asked[line.location, line.sku] += line.quantity
    stand: dict[Key, list[Event]] = defaultdict(list)
    for event in events:
        stand[event.location, event.sku].append(event)
    for key in asked.keys() | stand.keys():
        found = [event.on_hand if call.counts else event.on_hand_delta for event in stand[key]]
        if len(found) > 1:
            yield Violation("doubled", f"{name} changed {key} {len(found)} times")
        elif found != [asked.get(key)]:
            yield Violation("torn", f"{name} asked for {asked.get(key)} at {key}, and {found} stands")


def _refusals(calls: Mapping[str, Sequence[Invocation]], histories: Mapping[Key, _History]) -> Iterator[Violation]:
    """Each was true of a version that can have been the newest at some moment while it was decided."""
    for same in calls.values():
        began_s = min(call.invoked_s for call in same)  # a repeated key gets the refusal that was decided first
        for call in same:
            if isinstance(call.answer, Refused):
                key, is_true = _claim(call.answer, call)
                states = histories[key].states if key in histories else [_State(0, 0, 0)]
                reigned = (one for one in states if one.since_s <= call.completed_s and began_s <= one.until_s)
                if not any(is_true(one) for one in reigned):
                    when = f"asked at {call.invoked_s:.6f}, told at {call.completed_s:.6f}"
                    yield Violation("unjustified", f"no version of {key} in its time bears out: {call.answer}; {when}")


def _claim(refusal: Refused, call: Invocation) -> tuple[Key, Callable[[_State], bool]]:
    """The level that a refusal speaks of, and whether a version of it bears it out."""
    match refusal:
        case OutOfStock(sku=sku, location=location, requested=requested, available=available):
            asked = -sum(line.quantity for line in call.lines if (line.sku, line.location) == (sku, location))
            possible = requested == asked > available
            return (location, sku), lambda state: possible and state.on_hand - state.reserved == available
        case VersionConflict(expected_version=expected, current=current):
            possible = expected != current.version and any(line.if_version == expected for line in call.lines)
            numbers = current.version, current.on_hand, current.reserved
            return current.key, lambda state: possible and state[:3] == numbers
        case BelowReserved(sku=sku, location=location, on_hand=on_hand, reserved=reserved):
            return (location, sku), lambda state: on_hand < reserved == state.reserved
    return ("", ""), lambda _: False
