"""What a batch of operations does to levels. Pure: no SQL, no clock.

Operations are decided in order of arrival, each on what the ones before it left. An operation is all or nothing; its
lines on one level are summed into one event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.errors import BelowReserved, InsufficientStock, Invalid, LedgerError, NotFound, Refusal, VersionConflict
from ledger.operation import COUNT, MIXED, Line, Operation
from ledger.stock import LevelKey, Stock
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
    verdicts: list[int | LedgerError] = field(default_factory=list)
    stored: list[tuple[Operation, Refusal | None]] = field(default_factory=list)


def keys_of(batch: Sequence[Operation]) -> list[LevelKey]:
    """The levels a batch needs, in the order in which they are locked."""
    return sorted({key_of(line) for operation in batch for line in operation.lines})


def key_of(line: Line) -> LevelKey:
    return LevelKey(line.shard, line.location, line.sku)


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
            decision.stored.append((operation, refusal))
        except LedgerError as error:
            decision.verdicts.append(error)
        else:
            decision.verdicts.append(len(events))
            decision.stored.append((operation, None))
            decision.events.extend(events)
    return decision


def _decide_one(
    operation: Operation, levels: Mapping[LevelKey, Stock], decision: Decision, steps: PublicSteps
) -> list[dict[str, Any]]:
    moved: list[tuple[LevelKey, Stock, list[Line]]] = []
    for key, lines in _lines_by_level(operation).items():
        stock = decision.after.get(key) or levels.get(key)
        if stock is None:
            raise NotFound("sku", key.sku)
        decision.before.setdefault(key, stock)
        decision.after.setdefault(key, stock)
        moved.append((key, _move(key, stock, lines, steps), lines))
    events = [_event(operation, key, decision.after[key], after, lines) for key, after, lines in moved]
    decision.after.update((key, after) for key, after, _ in moved)
    return events


def _lines_by_level(operation: Operation) -> dict[LevelKey, list[Line]]:
    """In the order of the operation's events: by shard, then as the lines came. A stored answer reads the same."""
    by_level: dict[LevelKey, list[Line]] = {}
    for line in sorted(operation.lines, key=lambda line: line.shard):
        by_level.setdefault(key_of(line), []).append(line)
    return by_level


def _move(key: LevelKey, stock: Stock, lines: list[Line], steps: PublicSteps) -> Stock:
    for line in lines:
        if line.expected_version is not None and line.expected_version != stock.version:
            raise VersionConflict(line.expected_version, _fields(key, stock), precondition=line.precondition)
    if lines[0].kind == COUNT:
        on_hand = lines[0].quantity
        if on_hand < stock.reserved:
            raise BelowReserved(key.sku, key.location, on_hand, stock.reserved)
    else:
        delta = sum(line.quantity for line in lines)
        on_hand = stock.on_hand + delta
        if delta < 0 and on_hand < stock.reserved:
            raise InsufficientStock(key.sku, key.location, stock.available, -delta)
    if on_hand > ON_HAND_MAX:
        raise Invalid("quantity", f"{key.sku} at {key.location} would rise to {on_hand}; at most {ON_HAND_MAX} fit")
    seen = stock.version > 0 and steps.floor(stock.available) == steps.floor(on_hand - stock.reserved)
    return Stock(on_hand, stock.reserved, stock.version + 1, stock.view_version + (not seen))


def _fields(key: LevelKey, stock: Stock) -> dict[str, Any]:
    return {
        "sku": key.sku,
        "location": key.location,
        "version": stock.version,
        "on_hand": stock.on_hand,
        "reserved": stock.reserved,
        "available": stock.available,
    }


def _event(operation: Operation, key: LevelKey, before: Stock, after: Stock, lines: list[Line]) -> dict[str, Any]:
    return {
        "shard": key.shard,
        "seq": 0,
        "sku": key.sku,
        "location": key.location,
        "version": after.version,
        "kind": _common([line.kind for line in lines], MIXED),
        "on_hand_delta": after.on_hand - before.on_hand,
        "reserved_delta": after.reserved - before.reserved,
        "on_hand": after.on_hand,
        "reserved": after.reserved,
        "available": after.available,
        "operation": operation.id,
        "actor": operation.owner,
        "reason": _common([line.reason for line in lines], None),
        "reference": _common([line.reference for line in lines], None),
        "occurred_at": _common([line.occurred_at for line in lines], None),
        "committed_at": None,
        "view_version": after.view_version,
    }


def _common(values: list[Any], otherwise: Any) -> Any:
    first = values[0]
    return first if all(value == first for value in values) else otherwise
