"""A history with reservations that is right passes; one in which a ledger cheated with them never does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stockwire.errors import OutcomeUnknown, OutOfStock, ReservationExpired, StockwireError, VersionConflict
from stockwire.hold_history import HoldInvocation, operation_id
from stockwire.level import Level, LevelNumbers
from stockwire.operation import Event, Line, OperationResult, receipt, sale
from stockwire.oracle import Invocation, judge
from stockwire.reservation import Reservation, ReservationLine, Wanted, held, held_from

AT = datetime(2026, 11, 29, 10, tzinfo=UTC)
OWNER, TTL_S = "shop", 10
Call = Invocation | HoldInvocation


class World:
    """A ledger that does what it is told, right or wrong, at a moment of the test's choice; one sku, two locations."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.calls: list[Call] = []
        self.events: list[Event] = []
        self.on_hand: dict[str, int] = {"berlin": 0, "hamburg": 0}
        self.reserved: dict[str, int] = dict.fromkeys(self.on_hand, 0)
        self.holds: dict[str, Reservation] = {}

    def moves(self, *lines: Line, key: str, answer: StockwireError | None = None) -> None:
        operation = operation_id(OWNER, key)
        told: OperationResult | StockwireError = answer or self.commit(
            operation, *((line.location, line.kind, line.quantity, 0) for line in lines)
        )
        self.now_s += 1
        self.calls.append(Invocation(OWNER, key, lines, self.now_s - 0.9, self.now_s - 0.1, told))

    def asks(
        self,
        asked: str,
        key: str,
        *changes: tuple[str, str, int, int],
        of: str | None = None,
        lines: tuple[Wanted, ...] = (),
        answer: StockwireError | None = None,
    ) -> str:
        """``changes``: location, kind, and what becomes of on_hand and reserved. Returns the reservation's id."""
        operation = operation_id(OWNER, key)
        known = of or operation
        told: Reservation | StockwireError = answer or self.hold(known, self.commit(operation, *changes))
        ttl_s = TTL_S if asked in ("reserve", "extend") else None
        self.now_s += 1
        began_s, ended_s = self.now_s - 0.9, self.now_s - 0.1
        self.calls.append(HoldInvocation(OWNER, key, asked, known, lines, ttl_s, began_s, ended_s, told))
        return known

    def reserves(self, key: str, location: str, units: int) -> str:
        return self.asks("reserve", key, (location, "hold", 0, units), lines=(held("A", location, units),))

    def sweeps(self, known: str, location: str, units: int) -> None:
        key = f"expire {known} {self.holds[known].version} all"
        self.hold(known, self.commit(operation_id("stockwire", key), (location, "release", 0, -units)))

    def commit(self, operation: str, *changes: tuple[str, str, int, int]) -> OperationResult:
        made: list[Event] = []
        for location, kind, on_hand, reserved in changes:
            self.on_hand[location] += on_hand
            self.reserved[location] += reserved
            version = 1 + sum(event.location == location for event in self.events)
            numbers = self.on_hand[location], self.reserved[location], self.on_hand[location] - self.reserved[location]
            place = 0, len(self.events) + 1, "A", location, version, kind, on_hand, reserved
            made.append(Event(*place, *numbers, operation, OWNER, None, None, None, AT))
            self.events += made[-1:]
        return OperationResult(operation, tuple(made), (), False, "key")

    def hold(self, known: str, result: OperationResult) -> Reservation:
        """Its lines are made of what its events did."""
        before = self.holds.get(known)
        units = {line.location: line.pending for line in before.lines} if before else {}
        for event in result.events:
            units[event.location] = units.get(event.location, 0) + event.reserved_delta
        lines = tuple(ReservationLine("A", place, n, n, 0, 0, 0, 0) for place, n in units.items())
        version = 1 + (before.version if before else 0)
        self.holds[known] = Reservation(known, "pending", OWNER, None, None, version, AT, AT, lines, result)
        return self.holds[known]

    def kinds(self) -> set[str]:
        levels = [
            Level("A", place, sum(e.location == place for e in self.events), n, self.reserved[place],
                  n - self.reserved[place], None, None, 0, 0)
            for place, n in self.on_hand.items()
        ]  # fmt: skip
        return {one.kind for one in judge(self.calls, self.events, levels, reservations=self.holds.values())}


def world() -> World:
    """All of berlin is held, a sale refused, and hamburg half full."""
    made = World()
    made.moves(receipt("A", "berlin", 5), receipt("A", "hamburg", 4), key="fill")
    made.reserves("basket", "berlin", 5)
    made.moves(sale("A", "berlin", 1), key="refused", answer=OutOfStock("A", "berlin", 1, 0))
    return made


def test_baskets_that_are_held_paid_for_changed_and_swept_are_blamed_for_nothing() -> None:
    right = world()
    basket = operation_id(OWNER, "basket")
    right.asks("change", "less", ("berlin", "release", 0, -2), of=basket)
    right.asks("commit", "paid", ("berlin", "commit", 0, 0), of=basket)
    right.asks("commit", "paid again", of=basket)
    right.asks("fulfil", "left", ("berlin", "fulfil", -1, -1), of=basket)
    places = held_from("A", ["berlin", "hamburg"], 5, split=True)
    split = right.asks("reserve", "split", ("berlin", "hold", 0, 2), ("hamburg", "hold", 0, 3), lines=(places,))
    right.asks("commit", "split paid", ("berlin", "commit", 0, 0), ("hamburg", "commit", 0, 0), of=split)
    short = OutOfStock("A", "berlin", 5, 1, {"berlin": 0, "hamburg": 1})
    right.asks("reserve", "short", lines=(places,), answer=short)
    other = right.reserves("late", "hamburg", 1)
    right.now_s += 2 * TTL_S
    right.sweeps(other, "hamburg", 1)
    right.moves(sale("A", "hamburg", 1), key="sold")
    gone = ReservationExpired(other, AT, "A", "hamburg", 0, 1)
    right.asks("commit", "too late", of=other, answer=gone)
    assert right.kinds() == set()


def overdue(world: World) -> str:
    """A sale is refused for units whose time was over long ago."""
    world.now_s += 2 * TTL_S
    world.moves(sale("A", "berlin", 1), key="again", answer=OutOfStock("A", "berlin", 1, 0))
    return "unjustified"


def overdue_basket(world: World) -> str:
    """Another basket is."""
    world.now_s += 2 * TTL_S
    lines = (held_from("A", ["berlin", "hamburg"], 5),)
    short = OutOfStock("A", "berlin", 5, 4, {"berlin": 0, "hamburg": 4})
    world.asks("reserve", "again", lines=lines, answer=short)
    return "unjustified"


def invented(world: World) -> str:
    """One is told of fewer units than were there."""
    short = OutOfStock("A", "hamburg", 4, 3)
    world.asks("reserve", "again", lines=(held("A", "hamburg", 4),), answer=short)
    return "unjustified"


def too_late(world: World) -> str:
    """Who pays late is told that nothing is left where all is."""
    late = world.reserves("late", "hamburg", 1)
    world.now_s += 2 * TTL_S
    world.sweeps(late, "hamburg", 1)
    world.asks("commit", "paid", of=late, answer=ReservationExpired(late, AT, "A", "hamburg", 0, 1))
    return "unjustified"


def twice(world: World) -> str:
    """What was cancelled is swept as well, out of another basket."""
    world.reserves("other", "hamburg", 2)
    known = world.reserves("late", "hamburg", 2)
    world.asks("cancel", "cancel", ("hamburg", "release", 0, -2), of=known)
    world.sweeps(known, "hamburg", 2)
    return "released"


def kept(world: World) -> str:
    """A reservation says that it holds what it has let go of."""
    known = world.reserves("late", "hamburg", 2)
    before = world.holds[known]
    world.asks("cancel", "cancel", ("hamburg", "release", 0, -2), of=known)
    world.holds[known] = before
    return "leaked"


def half(world: World) -> str:
    """Some of what was asked for is held."""
    world.asks("reserve", "half", ("hamburg", "hold", 0, 1), lines=(held("A", "hamburg", 2),))
    return "torn"


def elsewhere(world: World) -> str:
    """It is held where nobody asked for it."""
    world.asks("reserve", "there", ("hamburg", "hold", 0, 2), lines=(held("A", "berlin", 2),))
    return "torn"


def lost(world: World) -> str:
    """A basket that was promised is nowhere."""
    call = world.calls[1]
    world.calls.append(replace(call, key="promised"))
    return "lost"


def ghost(world: World) -> str:
    """One that was refused is held all the same."""
    known = world.reserves("late", "hamburg", 2)
    world.calls[-1] = replace(world.calls[-1], answer=OutOfStock("A", "hamburg", 2, 1))
    assert known in world.holds
    return "ghost"


CHEATS = [overdue, overdue_basket, invented, too_late, twice, kept, half, elsewhere, lost, ghost]


@pytest.mark.parametrize("cheat", CHEATS, ids=[cheat.__name__ for cheat in CHEATS])
def test_a_ledger_that_cheats_with_reservations_is_caught(cheat: Callable[[World], str]) -> None:
    tampered = world()
    kind = cheat(tampered)
    assert kind in tampered.kinds()


def test_whose_time_nobody_knows_is_not_taken_for_over() -> None:
    unknown = world()
    unknown.calls[1] = replace(unknown.calls[1], answer=OutcomeUnknown("lost"))
    overdue(unknown)
    assert unknown.kinds() == set()


def test_another_version_is_another_version_whatever_is_overdue_there() -> None:
    """Who expected an old version is told so at once: nobody looks for units that should be free."""
    late = world()
    late.now_s += 10 * TTL_S
    last = [event for event in late.events if event.location == "berlin"][-1]
    level = LevelNumbers("A", "berlin", last.version, last.on_hand, last.reserved, last.available)
    line = sale("A", "berlin", 1, if_version=last.version - 1)
    late.moves(line, key="conflict", answer=VersionConflict(last.version - 1, level))
    assert late.kinds() == set()
