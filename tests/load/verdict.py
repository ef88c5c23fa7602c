"""The verdict on a run: what users were told and shown, held against the ledger's own log. Pure.

oversold      an event leaves less than nothing, or more units were sold than ever came in
lost          an acknowledged operation is not in the log as it was acknowledged; a number is missing in the log or a
              level is not the sum of its events; a level changed and a screen that watches it never heard of it
seen twice    an operation was booked twice; a version of a level came to a screen twice, or after a newer one
stale         after the quiet time a screen does not show what the ledger has
unasked       an operation in the log that nobody was told of, and whose outcome is not one of the unknown ones
unheard       a load process did not answer, or a call did not end: what became of it is not known
unmeasured    no sale, no screen or no change of a level on one: nothing was tested; a change that came before its
              commit: the clocks differ, and the time to the screen is wrong
late          an abandoned basket whose units were on a screen too long after its end, or never back at all
failed        requests or connections that failed; refusals for want of stock are none
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from stockwire.level import Level
from stockwire.operation import Event
from tests.load.screen import Delivered, Shown
from tests.load.shelf import Returned

SAMPLES_MAX = 5
"""Of each fault, spelt out; all are counted."""

HOLDS = ("hold", "release", "commit", "fulfil")

Effect = tuple[int, int, str, int, int, int]
"""What an operation did to one level: shard, seq, sku, version, units added, units on hand after it."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a shopper's screen showed at the end. ``skus`` None: the whole location."""

    name: str
    complete: bool
    skus: Sequence[str] | None
    levels: Mapping[str, Shown]


@dataclass(frozen=True, slots=True)
class Log:
    """The ledger's own account since the start of the run: events of the run's location by seq, and its levels now.

    ``gaps``: seqs that no event has. ``rewritten``: the epoch changed on the way.
    """

    events: Sequence[Event]
    levels: Mapping[str, Level]
    gaps: int = 0
    rewritten: bool = False


@dataclass(slots=True)
class Told:
    """What users were told. ``acknowledged``: by operation; ``unknown``: operations whose outcome nobody knows."""

    acknowledged: dict[str, frozenset[Effect]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Fault:
    """``of``: what was looked at, in words with numbers."""

    name: str
    count: int
    of: str
    samples: tuple[str, ...] = ()


def effects(events: Iterable[Event]) -> frozenset[Effect]:
    return frozenset((e.shard, e.seq, e.sku, e.version, e.on_hand_delta, e.on_hand) for e in events)


def faults(
    log: Log,
    told: Told,
    screens: Sequence[Watched],
    delivered: Delivered,
    unheard: Sequence[str],
    quiet: str,
) -> list[Fault]:
    """Every kind, those of count 0 too. ``quiet``: how long the ledger had been quiet, in words."""
    watched = sum(len(_skus_of(screen, log.levels)) for screen in screens)
    operations = {event.operation for event in log.events}
    asked = told.acknowledged.keys() | told.unknown
    return [
        _fault("oversold", _oversold(log), f"{len(log.events):,} events, {_sold(log):,} units sold of {_came(log):,}"),
        _fault(
            "lost",
            [*_lost_operations(log, told), *_lost_events(log), *_lost_levels(log, screens)],
            f"{len(told.acknowledged):,} acknowledged operations, {watched:,} levels on screens",
        ),
        _seen_twice(log, delivered, len(operations)),
        _fault("stale", list(_stale(log, screens)), f"{len(screens):,} screens, {quiet}"),
        _fault(
            "unasked",
            sorted(operations - asked - _let_go(log, asked)),
            f"{len(operations):,} operations in the log, {len(told.unknown):,} of unknown outcome",
        ),
        _fault("unheard", list(unheard), "answers of load processes"),
        _fault("unmeasured", list(_unmeasured(log, screens, delivered)), f"{delivered.levels:,} level messages"),
    ]


def late(returned: Returned, late_s: float) -> Fault:
    p99, longest = (returned.within_s(share) for share in (0.99, 1.0))
    told = "seen by nobody" if p99 is None or longest is None else f"p99 {p99:.2f} s, longest {longest:.2f} s"
    times = f"{sum(returned.times.values()):,} times on a screen"
    found = [f"basket {reference} never came back" for reference in returned.kept]
    slow = returned.late(late_s)
    found += [f"{slow:,} times units were on a screen more than {late_s:g} s after the end of their basket"] * bool(
        slow
    )
    of = f"{returned.baskets:,} abandoned baskets, {times}: {told} after their end"
    return Fault("late", len(returned.kept) + slow, of, tuple(found[:SAMPLES_MAX]))


def _let_go(log: Log, asked: Set[str]) -> set[str]:
    """Operations by which the ledger itself let go of what somebody had asked it to hold."""
    held = {event.reference for event in log.events if event.kind == "hold" and event.operation in asked}
    return {event.operation for event in log.events if event.kind == "release" and event.reference in held}


def _fault(name: str, found: Sequence[str], of: str) -> Fault:
    return Fault(name, len(found), of, tuple(found[:SAMPLES_MAX]))


def _oversold(log: Log) -> list[str]:
    found = [
        f"{event.sku} version {event.version} leaves {event.available} available, {event.on_hand} on hand"
        for event in log.events
        if event.available < 0 or event.on_hand < 0
    ]
    left: Counter[str] = Counter()
    for event in log.events:
        left[event.sku] += event.on_hand_delta
    return found + [f"{sku}: {-units} units more went out than came in" for sku, units in left.items() if units < 0]


def _sold(log: Log) -> int:
    return -sum(event.on_hand_delta for event in log.events if event.kind in ("sale", "fulfil"))


def _came(log: Log) -> int:
    return sum(event.on_hand_delta for event in log.events if event.on_hand_delta > 0)


def _lost_operations(log: Log, told: Told) -> Iterator[str]:
    booked: defaultdict[str, list[Event]] = defaultdict(list)
    for event in log.events:
        booked[event.operation].append(event)
    for operation, acknowledged in told.acknowledged.items():
        missing = acknowledged - effects(booked[operation])
        if missing:
            yield f"operation {operation}: {len(missing)} of {len(acknowledged)} events are not in the log"


def _lost_events(log: Log) -> Iterator[str]:
    if log.rewritten:
        yield "the epoch changed: history was rewritten"
    if log.gaps:
        yield f"{log.gaps} seqs have no event"
    by_sku: defaultdict[str, list[Event]] = defaultdict(list)
    for event in log.events:
        by_sku[event.sku].append(event)
    for sku in by_sku.keys() | log.levels.keys():
        events, level = by_sku[sku], log.levels.get(sku)
        at = (0, 0) if level is None else (level.version, level.on_hand)
        summed = (len(events), sum(event.on_hand_delta for event in events))
        if at != summed:
            yield (f"{sku}: version {at[0]} with {at[1]} on hand, its {summed[0]} events sum up to {summed[1]}")


def _lost_levels(log: Log, screens: Sequence[Watched]) -> Iterator[str]:
    for screen, sku, shown, level in _differences(log.levels, screens):
        if _never_heard(shown, level):
            yield f"{screen.name}: {sku} moved from version {shown[0]} to {level[0]} and no change came"


def _stale(log: Log, screens: Sequence[Watched]) -> Iterator[str]:
    for screen in screens:
        if not screen.complete:
            yield f"{screen.name}: no complete snapshot"
    for screen, sku, shown, level in _differences(log.levels, screens):
        if not _never_heard(shown, level):
            yield (
                f"{screen.name}: {sku} shows version {shown[0]} with {shown[1]} on hand,"
                f" the ledger has version {level[0]} with {level[1]}"
            )


def agrees(levels: Mapping[str, Level], screens: Sequence[Watched]) -> bool:
    """Whether every screen shows what the ledger has."""
    return all(screen.complete for screen in screens) and next(_differences(levels, screens), None) is None


def _differences(
    levels: Mapping[str, Level], screens: Sequence[Watched]
) -> Iterator[tuple[Watched, str, Shown, tuple[int, int, int]]]:
    for screen in screens:
        if screen.complete:
            for sku in sorted(_skus_of(screen, levels)):
                shown, level = screen.levels.get(sku, (0, 0, 0, 0)), _numbers(levels.get(sku))
                if shown[:3] != level:
                    yield screen, sku, shown, level


def _skus_of(screen: Watched, levels: Mapping[str, Level]) -> Set[str]:
    return levels.keys() | screen.levels.keys() if screen.skus is None else set(screen.skus)


def _numbers(level: Level | None) -> tuple[int, int, int]:
    return (0, 0, 0) if level is None else (level.version, level.on_hand, level.available)


def _never_heard(shown: Shown, level: tuple[int, int, int]) -> bool:
    """It still stands where the first snapshot left it, although the level has moved."""
    return shown[0] == shown[3] and level[0] > shown[0]


def _seen_twice(log: Log, delivered: Delivered, operations: int) -> Fault:
    """By its id and by its key: the reference of a line is the Idempotency-Key under which it was sent, and of a basket
    that under which it was held; it is held, let go of and paid for once."""
    booked: Counter[tuple[str, str]] = Counter()
    keys: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for event in log.events:
        booked[event.operation, event.sku] += 1
        if event.reference is not None:
            keys[event.reference, event.kind if event.kind in HOLDS else ""].add(event.operation)
    found = [f"operation {name} booked {times} times on {sku}" for (name, sku), times in booked.items() if times > 1]
    found += [f"key {key} booked by {len(names)} operations" for (key, _), names in keys.items() if len(names) > 1]
    return Fault(
        "seen twice",
        len(found) + delivered.repeated + delivered.backwards,
        f"{operations:,} operations, {delivered.levels:,} level messages"
        f" ({delivered.repeated_after_a_gap:,} allowed repeats)",
        tuple([*found, *delivered.samples][:SAMPLES_MAX]),
    )


def _unmeasured(log: Log, screens: Sequence[Watched], delivered: Delivered) -> Iterator[str]:
    if not screens:
        yield "no shopper was connected at the end"
    if not _sold(log):
        yield "nothing was sold"
    if not delivered.levels:
        yield "no change of a level came to a screen"
    if delivered.too_early:
        yield f"{delivered.too_early:,} changes came before their commit: clocks here and at the database differ"
