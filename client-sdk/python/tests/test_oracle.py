"""A history that is right passes whatever happened at once; one that was tampered with never does, and says how."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from stockwire.errors import OutcomeUnknown, OutOfStock, Unavailable, VersionConflict
from stockwire.level import Level, LevelNumbers
from stockwire.operation import Event, Line, OperationResult, receipt, sale
from stockwire.oracle import Invocation, Violation, judge

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
SKUS = ["A", "B", "C"]
SEEDS = range(60)


class World:
    """A correct ledger and clients whose calls overlap: each takes effect at some moment between its two ends."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.events: list[Event] = []
        self.calls: list[Invocation] = []
        self.on_hand = dict.fromkeys(SKUS, 0)
        self.versions = dict.fromkeys(SKUS, 0)
        for number in range(80):
            self.call(f"key-{number}", decided_s=float(number))

    def call(self, key: str, decided_s: float) -> None:
        lines = tuple(self.line(sku) for sku in self.chance.sample(SKUS, self.chance.choice((1, 1, 2))))
        call = Invocation("shop", key, lines, decided_s - self.delay_s(), decided_s + self.delay_s(), None)
        answer = self.decide(call)
        told = answer if self.chance.random() < 0.9 else self.chance.choice((None, OutcomeUnknown("lost")))
        self.calls.append(replace(call, answer=told))

    def line(self, sku: str) -> Line:
        if self.chance.random() < 0.3:
            return receipt(sku, "shop", self.chance.randrange(1, 6))
        version = self.chance.choice((None, None, None, self.versions[sku], self.versions[sku] - 1))
        return sale(sku, "shop", self.chance.randrange(1, 4), if_version=version)

    def delay_s(self) -> float:
        return self.chance.choice((0.1, 0.4, 3.0)) * self.chance.random()

    def decide(self, call: Invocation) -> OperationResult | OutOfStock | VersionConflict | Unavailable:
        if self.chance.random() < 0.05:
            return Unavailable("nobody there")
        for line in call.lines:
            if line.if_version is not None and line.if_version != self.versions[line.sku]:
                return VersionConflict(line.if_version, self.numbers(line.sku))
            if self.on_hand[line.sku] + line.quantity < 0:
                return OutOfStock(line.sku, "shop", -line.quantity, self.on_hand[line.sku])
        made = tuple(self.change(line, call.operation) for line in call.lines)
        return OperationResult(call.operation, made, (), False, call.key)

    def change(self, line: Line, operation: str) -> Event:
        self.on_hand[line.sku] += line.quantity
        self.versions[line.sku] += 1
        on_hand = self.on_hand[line.sku]
        event = Event(
            shard=0,
            seq=len(self.events) + 1,
            sku=line.sku,
            location="shop",
            version=self.versions[line.sku],
            kind=line.kind,
            on_hand_delta=line.quantity,
            reserved_delta=0,
            on_hand=on_hand,
            reserved=0,
            available=on_hand,
            operation=operation,
            actor="shop",
            reason=None,
            reference=None,
            occurred_at=None,
            committed_at=AT,
        )
        self.events.append(event)
        return event

    def numbers(self, sku: str) -> LevelNumbers:
        on_hand = self.on_hand[sku]
        return LevelNumbers(sku, "shop", self.versions[sku], on_hand, 0, on_hand)

    def levels(self) -> list[Level]:
        return [
            Level(sku, "shop", self.versions[sku], on_hand, 0, on_hand, None, None, 0, 0)
            for sku, on_hand in self.on_hand.items()
        ]

    def judge(self) -> list[Violation]:
        shuffled = self.chance.sample(self.events, len(self.events))
        return judge(self.calls, shuffled, self.levels())

    # what a test tampers with

    def acknowledged(self) -> list[tuple[int, Invocation, OperationResult]]:
        """With their places in ``calls``."""
        return [(n, one, one.answer) for n, one in enumerate(self.calls) if isinstance(one.answer, OperationResult)]

    def swap(self, one: Event, other: Event) -> None:
        """Each takes the other's place: operations are exchanged, and both callers are told so."""
        for old, new in (
            (one, replace(one, operation=other.operation)),
            (other, replace(other, operation=one.operation)),
        ):
            self.events[old.seq - 1] = new
        for place, call, result in self.acknowledged():
            mine = tuple(event for event in self.events if event.operation == call.operation)
            self.calls[place] = replace(call, answer=replace(result, events=mine))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_correct_history_is_blamed_for_nothing(seed: int) -> None:
    assert World(seed).judge() == []


def test_a_correct_history_holds_everything_that_is_judged() -> None:
    answers = [call.answer for seed in SEEDS for call in World(seed).calls]
    for kind in (OperationResult, OutOfStock, VersionConflict, Unavailable, OutcomeUnknown, type(None)):
        assert sum(isinstance(answer, kind) for answer in answers) > 50, kind


def swapped(world: World) -> str:
    """Two sales as alike as can be, and one was over before the other was asked for."""
    alone = [(call, result.events[0]) for _, call, result in world.acknowledged() if len(result.events) == 1]
    early, late = next(
        (one, other)
        for call, one in alone
        for later, other in alone
        if (one.sku, one.on_hand_delta) == (other.sku, other.on_hand_delta) and call.completed_s < later.invoked_s
    )
    world.swap(early, late)
    return "order"


def lost(world: World) -> str:
    """An event that was acknowledged is somebody else's."""
    place = world.acknowledged()[5][2].events[0].seq - 1
    world.events[place] = replace(world.events[place], operation="00000000-0000-0000-0000-000000000000")
    return "lost" if len(world.acknowledged()[5][2].events) == 1 else "torn"


def doubled(world: World) -> str:
    """A sale that was made twice, in all good order."""
    _, call, _ = next(one for one in world.acknowledged() if one[1].lines[0].quantity > 0)
    world.change(call.lines[0], call.operation)
    return "doubled"


def doubled_unknown(world: World) -> str:
    """Nobody was told whether it was made. Twice is too often all the same."""
    call = next(one for one in world.calls if one.unknown and [line.quantity > 0 for line in one.lines] == [True])
    while sum(event.operation == call.operation for event in world.events) < 2:
        world.change(call.lines[0], call.operation)
    return "doubled"


def half(world: World) -> str:
    """One line of two."""
    _, _, result = next(one for one in world.acknowledged() if len(one[2].events) == 2)
    place = result.events[1].seq - 1
    world.events[place] = replace(world.events[place], operation="00000000-0000-0000-0000-000000000000")
    return "torn"


def ghost(world: World) -> str:
    """Refused, and it happened."""
    call = next(one for one in world.calls if isinstance(one.answer, Unavailable) and one.lines[0].quantity > 0)
    for line in call.lines:
        world.change(replace(line, quantity=abs(line.quantity)), call.operation)
    return "ghost"


def stale(world: World) -> str:
    """A refusal with a number that was true once, and not any more when it was asked for."""
    known = {event.operation: call for _, call, result in world.acknowledged() for event in result.events}
    for place, call in enumerate(world.calls):
        for event, following in pairwise(event for event in world.events if event.sku == "A"):
            ended = known.get(following.operation)
            if ended is not None and ended.completed_s < call.invoked_s and isinstance(call.answer, OutOfStock):
                was = event.available
                later = [one for one in world.events if one.sku == "A" and one.version > event.version]
                if was not in {one.available for one in later}:
                    line = sale("A", "shop", was + 1)
                    refusal = OutOfStock("A", "shop", was + 1, was)
                    world.calls[place] = replace(call, lines=(line,), answer=refusal)
                    return "unjustified"
    raise StopIteration


def oversold(world: World) -> str:
    """One more than there was: every sum is right, and it is below zero."""
    world.change(sale("A", "shop", world.on_hand["A"] + 1), "00000000-0000-0000-0000-000000000000")
    return "balance"


def overwritten(world: World) -> str:
    """A level that does not stand where its events end: the lost update of a careless writer."""
    world.on_hand["B"] += 1
    return "balance"


def skipped(world: World) -> str:
    """A seq that nobody has."""
    world.events[-1] = replace(world.events[-1], seq=world.events[-1].seq + 1)
    return "gap"


TAMPERED = [
    swapped, lost, doubled, doubled_unknown, half, ghost, stale, oversold, overwritten, skipped,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERED, ids=[tamper.__name__ for tamper in TAMPERED])
def test_a_history_that_was_tampered_with_is_caught(tamper: Callable[[World], str]) -> None:
    caught = 0
    for seed in SEEDS:
        world = World(seed)
        try:
            kind = tamper(world)
        except (StopIteration, IndexError):
            continue  # this run has no place for it
        found = world.judge()
        assert kind in {violation.kind for violation in found}, (seed, found)
        caught += 1
    assert caught > len(SEEDS) // 2
