"""What a batch of operations does to levels. Pure: no SQL, no clock, no socket.

Operations are decided in order of arrival, each on what the ones before it left. An operation is all or nothing; its
lines on one level are summed into one event. What a line does to a level is a matter of its kind:
``ledger.commit.effects``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace

from ledger.commit.effects import EFFECTS
from ledger.commit.event import timestamp
from ledger.commit.held import Tally
from ledger.commit.hold import Hold, stored_hold
from ledger.commit.line import MIXED, Line
from ledger.commit.operation import Operation
from ledger.commit.plan import Plan, Situation
from ledger.commit.stock import LevelKey, Stock
from ledger.errors import Refusal, VersionConflict
from server.problems import Invalid, NotFound, Problem
from wire.availability import DEFAULT_STEPS, PublicSteps

ON_HAND_MAX = 2**31 - 1


class Written(NamedTuple):
    """An operation as it goes into the database: refused, or with ``events``, how many. ``hold``: the one it was about,
    as it stands after it, as ``stored_hold`` has it.
    """

    operation: Operation
    refusal: Refusal | None
    events: int
    lines: Sequence[Line]
    hold: dict[str, Any] | None = None


@dataclass(slots=True)
class Decision:
    """``before`` and ``after``: every level looked at, as it was and as it will be (equal: only read, for a refusal).

    ``events`` in commit order, without seq and committed_at, which the database gives. ``verdicts`` by position in the
    batch: the number of the operation's events, or why not. ``stored`` are the operations that go into the database:
    those that commit and those refused on a level. ``steps``: the public steps by which view versions were counted.
    ``holds_before`` and ``holds_after``: the holds that were looked at, likewise (None: there was none). ``moment``:
    the time by which they were judged.
    """

    steps: PublicSteps = DEFAULT_STEPS
    before: dict[LevelKey, Stock] = field(default_factory=dict)
    after: dict[LevelKey, Stock] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[int | Problem] = field(default_factory=list)
    stored: list[Written] = field(default_factory=list)
    holds_before: dict[str, Hold | None] = field(default_factory=dict)
    holds_after: dict[str, Hold | None] = field(default_factory=dict)
    moment: datetime | None = None

    @property
    def holds(self) -> list[tuple[Hold, int]]:
        """Those that were looked at, each with the version that it had (0: there was none)."""
        pairs = ((hold, self.holds_before[known]) for known, hold in self.holds_after.items() if hold is not None)
        return [(hold, 0 if before is None else before.version) for hold, before in pairs]


NO_HOLDS: Mapping[str, Hold] = {}


def keys_of(batch: Sequence[Operation]) -> set[LevelKey]:
    """The levels a batch needs."""
    return set[LevelKey]().union(*(operation.by_level for operation in batch))


def holds_of(batch: Sequence[Operation]) -> set[str]:
    """The holds a batch needs."""
    return {operation.plan.hold for operation in batch if operation.plan is not None}


def decide(
    batch: Sequence[Operation],
    levels: Mapping[LevelKey, Stock],
    steps: PublicSteps = DEFAULT_STEPS,
    holds: Mapping[str, Hold] = NO_HOLDS,
    moment: datetime | None = None,
    tally: Tally | None = None,
) -> Decision:
    """``levels`` holds every level the batch needs; one that is missing there cannot exist (its item is unknown).
    ``holds``: likewise. ``moment``: what the database's clock said, if a plan asks for it. ``tally``: who holds how
    much before the batch, if that is limited; it is kept.
    """
    decision = Decision(steps, moment=moment)
    for operation in batch:
        try:
            events, lines, hold = _decide_one(operation, levels, decision, holds, tally)
        except Refusal as refusal:
            decision.verdicts.append(refusal)
            decision.stored.append(Written(operation, refusal, 0, operation.lines or _named(operation)))
        except Problem as error:
            decision.verdicts.append(error)
        else:
            decision.verdicts.append(len(events))
            stored = None if hold is None else stored_hold(hold)
            decision.stored.append(Written(operation, None, len(events), lines, stored))
            decision.events.extend(events)
    return decision


def _decide_one(
    operation: Operation,
    levels: Mapping[LevelKey, Stock],
    decision: Decision,
    holds: Mapping[str, Hold],
    tally: Tally | None,
) -> tuple[list[dict[str, Any]], Sequence[Line], Hold | None]:
    """Its events, its lines, and the hold that it was about. Nothing of it stands if it raises a Problem."""
    by_level: Mapping[LevelKey, Sequence[Line]] = operation.by_level
    hold = None
    if operation.plan is not None:
        stocks = {key: _looked_at(key, levels, decision) for key in by_level}
        by_level, hold = _planned(operation.plan, stocks, decision, holds, tally)
    changes: list[tuple[LevelKey, Stock, Stock, Sequence[Line]]] = []
    for key, of_level in by_level.items():
        before = _looked_at(key, levels, decision)
        changes.append((key, before, _after(key, before, of_level, decision.steps), of_level))
    decision.after.update([(key, after) for key, _, after, _ in changes])
    if hold is not None:
        if tally is not None:
            tally.moved(decision.holds_after[hold.id], hold, decision.moment)
        decision.holds_after[hold.id] = hold
    lines = operation.lines or tuple(line for of_level in by_level.values() for line in of_level)
    return _events(operation, changes), lines, hold


def _named(operation: Operation) -> list[Line]:
    """What stands for the lines of one that was refused before it had any: who may not see its levels must not be told
    why.
    """
    kind = operation.plan.kind if operation.plan else MIXED
    return [Line(key.sku, key.location, key.shard, kind, 0) for key in operation.by_level]


def _looked_at(key: LevelKey, levels: Mapping[LevelKey, Stock], decision: Decision) -> Stock:
    """A level as the operations before left it. Raises NotFound."""
    stock = decision.after.get(key)
    if stock is None:
        stock = levels.get(key)
        if stock is None:
            raise NotFound("sku", key.sku)
        decision.before[key] = decision.after[key] = stock
    return stock


def _planned(
    plan: Plan,
    stocks: Mapping[LevelKey, Stock],
    decision: Decision,
    holds: Mapping[str, Hold],
    tally: Tally | None,
) -> tuple[Mapping[LevelKey, Sequence[Line]], Hold]:
    """Raises a Problem."""
    about = plan.hold
    hold = decision.holds_after[about] if about in decision.holds_after else holds.get(about)
    decision.holds_before.setdefault(about, hold)
    decision.holds_after.setdefault(about, hold)
    bounds = None if tally is None or plan.holder is None else tally.bounds(plan.holder, hold, decision.moment)
    planned = plan.decide(Situation(stocks, hold, decision.moment, bounds))
    lines = planned.lines
    return lines if len(lines) < 2 else {key: lines[key] for key in sorted(lines)}, planned.hold


def _after(key: LevelKey, before: Stock, lines: Sequence[Line], steps: PublicSteps) -> Stock:
    """The level with all of ``lines``. Raises Refusal, or Invalid for more than fits."""
    for line in lines:
        if line.expected_version is not None and line.expected_version != before.version:
            raise VersionConflict(line.expected_version, _fields(key, before), precondition=line.precondition)
    units = EFFECTS[lines[0].kind](before, lines)
    on_hand, reserved = units.on_hand, units.reserved
    if on_hand > ON_HAND_MAX:
        raise Invalid("quantity", f"{key.sku} at {key.location} would rise to {on_hand}; at most {ON_HAND_MAX} fit")
    version, view_version = before.version + 1, before.view_version
    if version == 1 or not steps.alike(before.on_hand - before.reserved, on_hand - reserved):
        view_version += 1  # a first movement always shows: until then the public sees no such level
    return Stock(on_hand, reserved, version, view_version)


def _fields(key: LevelKey, stock: Stock) -> dict[str, Any]:
    """Of a level, what a version conflict tells of it."""
    return {
        "sku": key.sku,
        "location": key.location,
        "version": stock.version,
        "on_hand": stock.on_hand,
        "reserved": stock.reserved,
        "available": stock.available,
    }


def _events(
    operation: Operation, changes: Sequence[tuple[LevelKey, Stock, Stock, Sequence[Line]]]
) -> list[dict[str, Any]]:
    """What all of them say is written out once: the id, and the time, which is mostly one for all lines."""
    told, actor = operation.id, operation.owner
    events: list[dict[str, Any]] = []
    moment, occurred_at = None, None
    for key, before, after, lines in changes:
        line = _shared(lines)
        if line.occurred_at != moment:
            moment, occurred_at = line.occurred_at, timestamp(line.occurred_at)
        events.append(_event(told, actor, key, before, after, line, occurred_at))
    return events


def _event(
    operation: str, actor: str, key: LevelKey, before: Stock, after: Stock, line: Line, occurred_at: str | None
) -> dict[str, Any]:
    """As ``ledger.commit.event`` lists its fields. ``line``: what all lines of the event have in common."""
    shard, location, sku = key
    return {
        "shard": shard,
        "seq": 0,
        "sku": sku,
        "location": location,
        "version": after.version,
        "kind": line.kind,
        "on_hand_delta": after.on_hand - before.on_hand,
        "reserved_delta": after.reserved - before.reserved,
        "on_hand": after.on_hand,
        "reserved": after.reserved,
        "available": after.available,
        "operation": operation,
        "actor": actor,
        "reason": line.reason,
        "reference": line.reference,
        "occurred_at": occurred_at,
        "committed_at": None,
        "view_version": after.view_version,
    }


def _shared(lines: Sequence[Line]) -> Line:
    """What an event says of its lines: the only one, or what all of them say alike."""
    first = lines[0]
    if len(lines) == 1:
        return first
    return replace(
        first,
        kind=first.kind if all(line.kind == first.kind for line in lines) else MIXED,
        reason=first.reason if all(line.reason == first.reason for line in lines) else None,
        reference=first.reference if all(line.reference == first.reference for line in lines) else None,
        occurred_at=first.occurred_at if all(line.occurred_at == first.occurred_at for line in lines) else None,
    )
