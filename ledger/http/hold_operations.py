"""Operations about holds, made of what a request asks for: their plans are decided with their batch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from ledger.commit.held import Holder
from ledger.commit.hold import Hold
from ledger.commit.operation import Operation, operation_id
from ledger.commit.plan import Plan
from ledger.commit.stock import LevelKey
from ledger.holds.decide import Cancel, Change, Commit, Extend, Fulfil, Parts, Resize
from ledger.holds.reserve import Reserve, Wanted
from ledger.http import hold_bodies
from ledger.http.idempotency import hash_of

_PlanOf = Callable[[Any, Hold, Sequence[LevelKey], Parts | None], Change]

_CHANGES: dict[str, tuple[Callable[[bytes], Any], _PlanOf]] = {
    "commit": (hold_bodies.commit, lambda asked, hold, levels, parts: Commit(hold.id, levels, parts, asked.fulfil)),
    "fulfil": (hold_bodies.parts, lambda _, hold, *of: Fulfil(hold.id, *of)),
    "cancel": (hold_bodies.parts, lambda _, hold, *of: Cancel(hold.id, *of)),
    "extend": (
        hold_bodies.extension,
        lambda asked, hold, levels, _: Extend(hold.id, levels, ttl_s=asked.ttl_s, holder=_holder(hold)),
    ),
    "lines": (
        hold_bodies.new_quantities,
        lambda asked, hold, levels, parts: Resize(hold.id, levels, parts, asked.ttl_s, _holder(hold)),
    ),
}
"""By the last part of their paths: what reads the body, and what makes a plan of it, of the hold, the levels that
the plan may touch, and how many units of which."""

CHANGES = tuple(_CHANGES)


class AskedChange:
    """What a request wants of a hold that is there. ``name``: one of CHANGES."""

    def __init__(self, name: str, body: bytes, lines_max: int, ttl_s_max: int) -> None:
        """Raises Invalid."""
        read, self._plan_of = _CHANGES[name]
        self._name = name
        self._asked: msgspec.Struct = read(body)
        hold_bodies.check_ttl(getattr(self._asked, "ttl_s", None), ttl_s_max)
        self._quantities = hold_bodies.quantities(getattr(self._asked, "lines", None), lines_max)

    def locations(self, hold: Hold) -> Iterator[str]:
        """All that it touches or names."""
        yield from (level.location for level in hold.lines)
        yield from (location for location, _ in self._quantities or ())

    def operation(self, owner: str, key: str, hold: Hold, shards: Mapping[str, int]) -> Operation:
        """``shards``: of its locations. Raises Invalid if the hold would have too many lines."""
        parts = None
        if self._quantities is not None:
            parts = {LevelKey(shards[place], place, sku): units for (place, sku), units in self._quantities.items()}
        levels = [*hold.lines, *(level for level in parts or () if level not in hold.lines)]
        hold_bodies.check_levels(len(levels))
        plan = self._plan_of(self._asked, hold, levels, parts)
        return planned(owner, key, f"{hold.id} {self._name}", self._asked, plan)


def reserving(
    owner: str, key: str, asked: hold_bodies.Reservation, shards: Mapping[str, int], ttl_s_max: int
) -> Operation:
    """``shards``: of all locations that it names. ``ttl_s_max``: for how long units may be kept, if it does not say."""
    wanted = tuple(
        Wanted(
            tuple(LevelKey(shards[place], place, line.sku) for place in line.places),
            line.quantity,
            line.split,
        )
        for line in asked.lines
    )
    or_less = asked.ttl_s is None
    ttl_s = asked.ttl_s or min(hold_bodies.HOLD_TTL_S_DEFAULT, ttl_s_max)
    known = operation_id(owner, key)
    plan = Reserve(known, owner, wanted, ttl_s, asked.customer, asked.reference, or_less)
    return Operation(known, owner, key, hash_of("reservations", asked), (), plan)


def _holder(hold: Hold) -> Holder:
    return Holder(hold.owner, hold.customer)


def hold_id(given: str) -> str | None:
    """As it is written out; None if it is no id."""
    try:
        return str(UUID(given))
    except ValueError:
        return None


def planned(owner: str, key: str, kind: str, asked: msgspec.Struct, plan: Plan) -> Operation:
    """``kind``: the route, and what it is about."""
    return Operation(operation_id(owner, key), owner, key, hash_of(kind, asked), (), plan)
