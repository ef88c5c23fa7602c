"""One run of an order, as questions: what to write down, what to ask of whom, how long to wait. Pure: no I/O, no clock.

The shells (`sync`, `asyncio`) answer them. Whatever is asked of ledger or provider was
written down before, so a process may end between any two of them.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

from stockwire.orders.decide import Policy, Run, Step, adopted, after, decide_next, due_in_s
from stockwire.orders.errors import (
    ChargedWithoutStock,
    ChargeUnknown,
    ChargeUnresolved,
    OrderCancelled,
    OrderDeclined,
    OrderError,
    OrderExpired,
    OrderRefused,
    OrderTaken,
)
from stockwire.orders.journal import Row
from stockwire.orders.order import Order, OrderState

STILL_MAX = 3
"""Times that a run decides anew since it stood still while it wrote. More, and its lease is too short for its disk."""
ADOPTIONS_MAX = 5
"""Somebody else works on the order; each time that they write meanwhile it is read again."""


@dataclass(frozen=True, slots=True)
class Save:
    """Gives the row as it is then, or None. ``due_in_s`` None: it goes on, and keeps its lease."""

    version: int
    order: Order
    due_in_s: float | None = None

    def whose(self, worker: str, lease_s: float) -> tuple[str, float]:
        """And for how long, or when it is to be looked at."""
        return (worker, lease_s) if self.due_in_s is None else ("", self.due_in_s)


@dataclass(frozen=True, slots=True)
class Look:
    """Gives the row."""

    key: str


@dataclass(frozen=True, slots=True)
class Take:
    """Gives the step's answer, or raises its error."""

    step: Step
    order: Order


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Asked: TypeAlias = Save | Look | Take | Pause
Answers: TypeAlias = Generator[Asked, Any, Order]


def run_of(
    row: Row,
    order: Order,
    until: OrderState,
    policy: Policy,
    lease_s: float,
    clock: Callable[[], float],
    *,
    ends: bool = False,
) -> Answers:
    """``row``: as it was claimed; ``order``: the same, with what the caller has changed. ``clock``: seconds, monotonic.
    ``ends``: that it does not come to a sale is what the caller wants, but not that money waits for a person.

    Gives the order as it is let go of. Raises OrderTaken, or what a step raised that says nothing about the order; the
    order is let go of then too.
    """
    run, saved, read_s, unknown = Run(), Order.read(row.key, row.document), clock(), None
    still_max_s, stood_still = lease_s / 2, 0
    while (following := decide_next(order, until, run, policy, _now_s(row, read_s, clock))) is not None:
        if following.wait_s:
            yield Pause(following.wait_s)
        order = following.order
        if following.step is None:
            continue
        if order != saved or clock() - read_s > still_max_s:
            decided_s = clock()
            row, saved, read_s = (yield from _saved(row, order, saved)), order, clock()
            if read_s - decided_s > still_max_s and stood_still < STILL_MAX:
                stood_still += 1  # what was decided, and when it asks, is of the past
                continue
        began_s = _now_s(row, read_s, clock)
        try:
            outcome: object = yield Take(following.step, order)
        except Exception as error:  # noqa: BLE001 - whatever it is, `after` knows what it means, or raises it
            outcome = error
        if isinstance(outcome, Exception) and following.step in (Step.CHARGE, Step.FIND):
            unknown = outcome
        try:
            order, run = after(order, run, following.step, outcome, began_s)
        except Exception:
            yield from _saved(row, order, saved, due_in_s(order, began_s))
            raise
    yield from _saved(row, order, saved, due_in_s(order, _now_s(row, read_s, clock)))
    verdict = error_of(order, run.tries, _now_s(row, read_s, clock))
    if verdict is not None and (not ends or order.state is OrderState.CHARGED_WITHOUT_STOCK):
        raise verdict from unknown
    return order


def _now_s(row: Row, read_s: float, clock: Callable[[], float]) -> float:
    """By the journal's clock."""
    return row.now_s + clock() - read_s


def _saved(row: Row, order: Order, saved: Order, due_s: float | None = None) -> Generator[Asked, Any, Row]:
    """Raises OrderTaken if somebody else has gone on with it, with what came to light here handed to them."""
    written: Row | None = yield Save(row.version, order, due_s)
    if written is not None:
        return written
    charge = order.charge if order.charge != saved.charge else None
    if charge is not None:
        yield from _handed_over(order.key, charge)
    standing: Row | None = yield Look(order.key)
    raise OrderTaken(order if standing is None else Order.read(order.key, standing.document), charge)


def _handed_over(key: str, charge: str) -> Generator[Asked, Any, None]:
    for _ in range(ADOPTIONS_MAX):
        row: Row | None = yield Look(key)
        theirs = None if row is None else adopted(Order.read(key, row.document), charge)
        if row is None or theirs is None:
            return
        if (yield Save(row.version, theirs, due_in_s(theirs, row.now_s))) is not None:
            return


def error_of(order: Order, tries: int, now_s: float) -> OrderError | None:
    """What is raised of an order that has come as far as it comes now. None: as far as it was to come."""
    asked_for_s = now_s - (order.charging_at_s or now_s)
    match order.state:
        case OrderState.REFUSED:
            return OrderRefused(order)
        case OrderState.DECLINED:
            return OrderDeclined(order)
        case OrderState.EXPIRED:
            return OrderExpired(order)
        case OrderState.CHARGING:
            return ChargeUnknown(order, tries, asked_for_s)
        case OrderState.UNRESOLVED:
            return ChargeUnresolved(order, tries, asked_for_s)
        case OrderState.CHARGED_WITHOUT_STOCK:
            return ChargedWithoutStock(order)
        case OrderState.CANCELLED:
            return OrderCancelled(order)
        case OrderState.REFUNDING | OrderState.REFUNDED:
            return OrderCancelled(order) if order.ending is OrderState.CANCELLED else ChargedWithoutStock(order)
        case _:
            return None
