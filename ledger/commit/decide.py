"""What a batch of operations does to levels. Pure: no SQL, no clock, no socket.

Operations are decided in order of arrival, each on what the ones before it left. An operation is all or nothing; its
lines on one level are summed into one event. What a line does to a level is a matter of its kind:
``ledger.commit.effects``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from ledger.commit.effects import EFFECTS
from ledger.commit.event import timestamp
from ledger.commit.operation import MIXED, Line, Operation
from ledger.commit.stock import LevelKey, Stock
from ledger.errors import Refusal, VersionConflict
from server.problems import Invalid, NotFound, Problem
from wire.availability import DEFAULT_STEPS, PublicSteps

ON_HAND_MAX = 2**31 - 1


@dataclass(slots=True)
class Decision:
    """``before`` and ``after``: every level looked at, as it was and as it will be (equal: only read, for a refusal).

    ``events`` in commit order, without seq and committed_at, which the database gives. ``verdicts`` by position in the
    batch: the number of the operation's events, or why not. ``stored`` are the operations that go into the database:
    those that commit and those refused on a level. ``steps``: the public steps by which view versions were counted.
    """

    steps: PublicSteps = DEFAULT_STEPS
    before: dict[LevelKey, Stock] = field(default_factory=dict)
    after: dict[LevelKey, Stock] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[int | Problem] = field(default_factory=list)
    stored: list[tuple[Operation, Refusal | None, int]] = field(default_factory=list)


def keys_of(batch: Sequence[Operation]) -> set[LevelKey]:
    """The levels a batch needs."""
    return set[LevelKey]().union(*(operation.by_level for operation in batch))


def decide(
    batch: Sequence[Operation], levels: Mapping[LevelKey, Stock], steps: PublicSteps = DEFAULT_STEPS
) -> Decision:
    """``levels`` holds every level the batch needs; one that is missing there cannot exist (its item is unknown)."""
    decision = Decision(steps)
    for operation in batch:
        try:
            events = _decide_one(operation, levels, decision, steps)
        except Refusal as refusal:
            decision.verdicts.append(refusal)
            decision.stored.append((operation, refusal, 0))
        except Problem as error:
            decision.verdicts.append(error)
        else:
            decision.verdicts.append(len(events))
            decision.stored.append((operation, None, len(events)))
            decision.events.extend(events)
    return decision


def _decide_one(
    operation: Operation, levels: Mapping[LevelKey, Stock], decision: Decision, steps: PublicSteps
) -> list[dict[str, Any]]:
    changes: list[tuple[LevelKey, Stock, Stock, Sequence[Line]]] = []
    for key, lines in operation.by_level.items():
        before = decision.after.get(key)
        if before is None:
            before = levels.get(key)
            if before is None:
                raise NotFound("sku", key.sku)
            decision.before[key] = decision.after[key] = before
        changes.append((key, before, _after(key, before, lines, steps), lines))
    decision.after.update([(key, after) for key, _, after, _ in changes])
    return _events(operation, changes)


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
