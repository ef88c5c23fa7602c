"""A ledger, a provider and a journal in memory, in a time of their own, for orders that go wrong. Seeded."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from stockwire import (
    OutcomeUnknown,
    OutOfStock,
    ReservationExpired,
    ReservationState,
    StockwireError,
    held,
)
from stockwire.operation import OperationResult
from stockwire.orders import Declined, Order, OrderState, Row
from stockwire.orders.ask import ledger_key
from stockwire.orders.decide import Policy, Step, goes_on
from stockwire.orders.saga import Asked, Look, Pause, Save, Take, run_of
from stockwire.reservation import Reservation, ReservationLine

TTL_S = 60
LATE_S = 40.0
"""No charge comes later than that."""
LEASE_S = 60.0
SOMETIME = datetime(2026, 1, 1, tzinfo=UTC)


class Died(BaseException):
    """The process of the shop is gone, in the middle of something."""


class Lost(Exception):
    """No answer came."""


@dataclass
class World:
    """One order of one unit. ``time_s``: what everybody's clock says."""

    chance: random.Random
    policy: Policy
    time_s: float = 1_000.0
    free: int = 1
    sold_to_others: int = 0
    hold: str = ""
    ends_s: float = 0.0
    answers: dict[str, Exception | None] = field(default_factory=dict)
    charged: bool = False
    declined: bool = False
    refunds: int = 0
    late: list[float] = field(default_factory=list)
    row: Row | None = None
    doomed: float = 0.1
    lying: float = 0.4

    # time

    def pass_time(self, seconds: float) -> None:
        self.time_s += seconds
        if self.hold == "pending" and self.time_s >= self.ends_s:
            self.hold, self.free = "expired", self.free + 1
        if any(due_s <= self.time_s for due_s in self.late):
            self.charged = True
        self.late = [due_s for due_s in self.late if due_s > self.time_s]
        if self.free and self.chance.random() < 0.1:
            self.free, self.sold_to_others = self.free - 1, self.sold_to_others + 1

    # the journal

    def claimed(self, order: Order, worker: str) -> Row | None:
        if self.row is None:
            self.row = Row(order.key, 1, order.document(), worker, self.time_s + LEASE_S, self.time_s)
            return self.row
        if self.row.worker and self.time_s < self.row.due_at_s:
            return None
        leased = replace(self.row, worker=worker, due_at_s=self.time_s + LEASE_S)
        self.row = replace(leased, version=self.row.version + 1, now_s=self.time_s)
        return self.row

    def _saved(self, asked: Save, worker: str) -> Row | None:
        assert self.row is not None
        if asked.version != self.row.version:
            return None
        whose, due_s = asked.whose(worker, LEASE_S)
        document, due_at_s = asked.order.document(), self.time_s + due_s
        self.row = Row(self.row.key, self.row.version + 1, document, whose, due_at_s, self.time_s)
        return self.row

    @property
    def order(self) -> Order:
        assert self.row is not None
        return Order.read(self.row.key, self.row.document)

    # the ledger

    def _ledger(self, step: Step, order: Order) -> Reservation:
        key = "" if step is Step.EXTEND else ledger_key(step, order)
        replayed = key in self.answers
        if not replayed:
            try:
                _LEDGER[step](self)
                self.answers[key] = None
            except (OutOfStock, ReservationExpired, ReservationState) as refused:
                self.answers[key] = refused
        answer = self.answers.pop(key) if not key else self.answers[key]
        if self.chance.random() < self.lying / 8:
            raise OutcomeUnknown("the answer was lost")
        if answer is not None:
            raise answer
        return _reservation(self.hold, replayed)

    def _reserve(self) -> None:
        if not self.free:
            raise OutOfStock("A-1", "berlin", 1, 0)
        self.hold, self.ends_s, self.free = "pending", self.time_s + TTL_S, self.free - 1

    def _extend(self) -> None:
        if self.hold == "expired":
            raise ReservationExpired("r-1", SOMETIME)
        if self.hold != "pending":
            raise self._state("extend")
        self.ends_s = self.time_s + TTL_S

    def _commit(self) -> None:
        if self.hold == "expired":
            if not self.free:
                raise ReservationExpired("r-1", SOMETIME, "A-1", "berlin", 0, 1)
            self.free -= 1
        elif self.hold == "cancelled":
            raise self._state("commit")
        self.hold = self.hold if self.hold == "fulfilled" else "committed"

    def _fulfil(self) -> None:
        assert self.hold in ("committed", "fulfilled")
        self.hold = "fulfilled"

    def _cancel(self) -> None:
        assert self.hold != "fulfilled"
        self.free += self.hold in ("pending", "committed")
        self.hold = "cancelled"

    def _state(self, asked: str) -> ReservationState:
        return ReservationState("r-1", self.hold, asked, "it cannot be")

    # the provider

    def _charge(self) -> str:
        lie = self.chance.choice(("lost", "away", "late")) if self.chance.random() < self.lying else ""
        if self.declined:
            raise Declined("no money")
        if lie == "late":
            self.late.append(self.time_s + self.chance.uniform(0, LATE_S))
        if lie in ("late", "away"):
            raise Lost
        self.charged = True
        if lie == "lost":
            raise Lost
        return "ch-1"

    def _find(self) -> str | None:
        if self.chance.random() < self.lying / 2:
            raise Lost
        return "ch-1" if self.charged else None

    def _refund(self) -> str:
        assert self.charged, "gave back what was never taken"
        self.refunds = 1
        if self.chance.random() < self.lying:
            raise Lost
        return "re-1"

    # the shop

    def attempt(self, order: Order, until: OrderState, worker: str) -> BaseException | None:
        """One run by one process, which may die in it, or stand still for longer than its lease."""
        row = self.claimed(goes_on(order, until), worker)
        if row is None:
            return None
        standing = goes_on(Order.read(row.key, row.document), until)
        run = run_of(row, standing, until, self.policy, LEASE_S, lambda: self.time_s)
        try:
            asked = next(run)
            while True:
                try:
                    answer = self._answered(asked, worker)
                except Exception as error:  # noqa: BLE001 - as the shells do it
                    asked = run.throw(error)
                else:
                    asked = run.send(answer)
        except StopIteration:
            return None
        except (StockwireError, Lost, Died) as error:
            return error

    def _answered(self, asked: Asked, worker: str) -> object:
        self._perhaps_dies()
        self.pass_time(self.chance.choice((0.01, 0.1, 1.0, 25.0)))
        answer = self._answer(asked, worker)
        self._perhaps_dies()
        return answer

    def _perhaps_dies(self) -> None:
        if self.chance.random() < self.doomed:
            raise Died

    def _answer(self, asked: Asked, worker: str) -> object:
        match asked:
            case Save():
                return self._saved(asked, worker)
            case Look():
                return self.row
            case Pause():
                self.pass_time(asked.seconds)
            case Take():
                provider = {Step.CHARGE: self._charge, Step.FIND: self._find, Step.REFUND: self._refund}
                if asked.step in provider:
                    return provider[asked.step]()
                return self._ledger(asked.step, asked.order)
        return None


_LEDGER: dict[Step, Callable[[World], None]] = {
    Step.RESERVE: World._reserve,
    Step.EXTEND: World._extend,
    Step.COMMIT: World._commit,
    Step.FULFIL: World._fulfil,
    Step.CANCEL: World._cancel,
}


def _reservation(state: str, replayed: bool) -> Reservation:
    line = ReservationLine("A-1", "berlin", 1, 0, 0, 0, 0, 0)
    made = Reservation("r-1", state, "shop", None, None, 1, SOMETIME, None, (line,))
    return replace(made, result=OperationResult("op-1", (), (), replayed, "key"))


def an_order() -> Order:
    return Order("o-1", (held("A-1", "berlin"),), TTL_S)
