"""Orders that survive crashes, of the shop and of the payment provider: the blocking ones."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self, TypeAlias, cast

from stockwire import argument
from stockwire.errors import IdempotencyMismatch, Invalid, NotFound
from stockwire.orders import by_hand
from stockwire.orders.ask import ledger_key, new_order, no_function, policy_of
from stockwire.orders.decide import Step, asked_again, goes_on, unpaid
from stockwire.orders.errors import OrderBusy
from stockwire.orders.journal import PAGE_SIZE, Journal, Row
from stockwire.orders.order import Order, OrderState
from stockwire.orders.resumed import Resumed
from stockwire.orders.saga import Answers, Asked, Look, Pause, Save, Take, run_of
from stockwire.reservation import Wanted
from stockwire.sync.client import Client

ChargeFunction: TypeAlias = Callable[[Order, str], str]
FindFunction: TypeAlias = Callable[[Order, str], str | None]
RefundFunction: TypeAlias = Callable[[Order, str], str]
_AnyFunction: TypeAlias = Callable[[Order, str], Any]


class Orders:
    """Orders of one shop: units are held, paid for and committed, or neither is taken. Crashes are resumed by keys.

    ``journal``: where orders are written down before anything is done for them. Each function takes an order and a key:
    ``charge`` gives the provider's id of the charge; it raises `Declined` for a no, and anything else means that nobody
    knows. It may be called again with the same key, under which the provider has to charge once. ``find`` gives the id
    of the charge that was made under the key, or None. ``refund`` gives ``order.charge`` back, once under its key, and
    gives the provider's id of that.

    ``charge_for_s``: how long the provider is asked about a charge, over all tries; then the order is ``unresolved``.
    ``late_s``: how long after it was asked for a charge may still come to be; None: for ever. ``lease_s``: how long an
    order is left alone after a crash in the middle; longer than any of the three functions takes. The functions need
    deadlines of their own.

    Safe to share between threads. Raises Invalid.

    >>> from stockwire.orders import Orders, SqliteJournal
    >>> def charge(order, key):
    ...     return f"{order.data['euros']} euros, once for {key}"
    >>> with SqliteJournal(":memory:") as journal:
    ...     orders = Orders(client, journal, charge=charge)
    ...     order = orders.order([held("A-100", "berlin", 2)], key=f"order-{receipt_number}", data={"euros": 20})
    ...     sold = order.commit()
    >>> sold.order.state.value, sold.order.charge
    ('committed', '20 euros, once for order-.../charge')
    """

    def __init__(
        self,
        client: Client,
        journal: Journal,
        *,
        charge: ChargeFunction | None = None,
        find: FindFunction | None = None,
        refund: RefundFunction | None = None,
        charge_for_s: float = 3_600.0,
        late_s: float | None = None,
        lease_s: float = 120.0,
    ) -> None:
        for name, function in (("charge", charge), ("find", find), ("refund", refund)):
            if function is not None:
                argument.function(name, function)
        self._reservations = client.reservations
        self._journal = journal
        self._charge = charge
        self._find = find
        self._refund = refund
        self._lease_s = argument.seconds("lease_s", lease_s, argument.TIMEOUT_S_MIN)
        self._policy = policy_of(find is not None, refund is not None, charge_for_s, late_s, self._lease_s)

    def order(
        self,
        lines: Sequence[Wanted],
        *,
        key: str,
        ttl_s: int | None = None,
        customer: str | None = None,
        reference: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> "Saga":
        """An order of all ``lines`` or none. Nothing is done before its first step.

        ``key``: its own, 1 to 160 visible ASCII characters: the same key is the same order, in any process and after
        any crash. ``ttl_s``: how long it is held for the customer to pay; unless given 900, or less where the ledger
        or an item allows no more. ``reference``: of its hold; the key, unless given. ``data``: what JSON can say, for
        the functions: what they need after a crash stands here. Raises Invalid.

        >>> from stockwire.orders import Orders, SqliteJournal
        >>> with SqliteJournal(":memory:") as journal:
        ...     orders = Orders(client, journal)
        ...     saga = orders.order([held("A-100", "berlin")], key=f"order-{receipt_number}")
        ...     saga = saga.reserve()
        >>> saga.order.state.value
        'reserved'
        """
        return Saga(self._to, new_order(lines, key, ttl_s, customer, reference, data), self._charge)

    def get(self, key: str) -> Order:
        """As the journal has it. Raises NotFound."""
        return Order.read(key, self._row(key).document)

    def open(self) -> Iterator[Order]:
        """Every order that is not at its end, by their keys: what is under way, waits for money, or for a person.

        Raises JournalError, also at a row that cannot be read.
        """
        after = ""
        while rows := self._journal.open_after(after, PAGE_SIZE):
            for row in rows:
                yield Order.read(row.key, row.document)
            after = rows[-1].key

    def resume(self, key: str) -> Order:
        """Take it as far as it was to come, or back. Raises as the steps of the order do, and NotFound."""
        return self._changed(key, None, lambda order: order)

    def resume_all(self, limit: int = 100) -> list[Resumed]:
        """Resume up to ``limit`` orders that are due: stopped on their way some seconds ago, or left by a crash.

        For a loop or a timer, in as many processes as you like. Nothing is raised for a single order: look at each
        ``error``.
        """
        found: list[Resumed] = []
        for key in self._journal.due(argument.whole("limit", limit, 1, argument.UNITS_MAX)):
            try:
                found.append(Resumed(key, self.resume(key)))
            except OrderBusy:
                continue
            except Exception as error:  # noqa: BLE001 - of the caller's functions too: one order must not keep the others
                found.append(Resumed(key, self._standing(key), error))
        return found

    def _standing(self, key: str) -> Order | None:
        """None: it cannot be read, or not now."""
        with suppress(Exception):  # of any journal: what is wrong with it is reported already
            return self.get(key)
        return None

    def cancel(self, key: str, reason: str = "cancelled") -> Order:
        """What it holds is let go of, what was taken goes back, if there is a ``refund`` function.

        Raises Invalid for one that may be paid for (resume it first) or has left, ChargedWithoutStock for one that has
        left in part (nothing is refunded then: that is for a person), OrderBusy, NotFound, Later, and whatever the
        ``refund`` function raises.
        """
        found = self._changed(key, OrderState.RESERVED, lambda order: by_hand.cancelled(order, reason), ends=True)
        return by_hand.was_cancelled(found)

    def settle(self, key: str, charge: str | None) -> Order:
        """Somebody has looked at the provider: there is this ``charge``, or (None) none, and never will be.

        For an order that is ``unresolved`` or still ``charging``. It goes on from there: paid for and committed, or
        cancelled. Raises Invalid, OrderBusy, NotFound, Later, and OrderError as `resume` does.
        """
        return self._changed(key, None, lambda order: by_hand.settled(order, charge), ends=charge is None)

    def refunded(self, key: str, refund: str) -> Order:
        """What was taken has gone back by hand, as ``refund``, of an order that is ``charged-without-stock`` or
        ``refunding``. Raises Invalid, OrderBusy, NotFound and Later.
        """
        return self._changed(key, OrderState.RESERVED, lambda order: by_hand.refunded(order, refund), ends=True)

    def _changed(
        self, key: str, until: OrderState | None, change: Callable[[Order], Order], *, ends: bool = False
    ) -> Order:
        """``ends``: what becomes of it is what was asked for, and no error."""
        worker = uuid.uuid4().hex
        row = self._claimed(key, worker)
        order = Order.read(key, row.document)
        try:
            changed = change(order)
        except Invalid:
            self._save(Save(row.version, order, 0.0), worker)
            raise
        return self._went(row, changed, until or changed.goal, worker, self._charge, ends)

    def _to(self, order: Order, until: OrderState, charge: ChargeFunction | None) -> Order:
        """A step of a `Saga`: what comes before it is done too."""
        charge = charge or self._charge
        if charge is None and unpaid(order, until):  # it is not begun either
            row = self._journal.get(order.key)
            if row is None or unpaid(asked_again(Order.read(order.key, row.document)), until):
                raise no_function("charge")
        worker = uuid.uuid4().hex
        wanted = goes_on(order, until)
        row = self._journal.begin(order.key, order.state, wanted.document(), worker, self._lease_s)
        standing = Order.read(order.key, row.document)
        if standing.asks_for() != order.asks_for():
            raise IdempotencyMismatch("key", f"{order.key} is another order")
        if row.worker != worker:
            row = self._claimed(order.key, worker)
            standing = Order.read(order.key, row.document)
        return self._went(row, goes_on(asked_again(standing), until), until, worker, charge, False)

    def _went(
        self,
        row: Row,
        order: Order,
        until: OrderState,
        worker: str,
        charge: ChargeFunction | None,
        ends: bool,
    ) -> Order:
        policy = replace(self._policy, can_charge=charge is not None)
        run = run_of(row, order, until, policy, self._lease_s, time.monotonic, ends=ends)
        order = self._answered(run, worker, charge)
        if charge is None and unpaid(order, until):
            raise no_function("charge")
        return order

    def _answered(self, run: Answers, worker: str, charge: ChargeFunction | None) -> Order:
        try:
            asked = next(run)
            while True:
                try:
                    answer = self._answer(asked, worker, charge)
                except Exception as error:  # noqa: BLE001 - the run knows what it means, or raises it
                    asked = run.throw(error)
                else:
                    asked = run.send(answer)
        except StopIteration as ended:
            return cast(Order, ended.value)

    def _answer(self, asked: Asked, worker: str, charge: ChargeFunction | None) -> object:
        match asked:
            case Save():
                return self._save(asked, worker)
            case Look():
                return self._journal.get(asked.key)
            case Pause():
                time.sleep(asked.seconds)
                return None
            case Take():
                return self._taken(asked.step, asked.order, charge)

    def _taken(self, step: Step, order: Order, charge: ChargeFunction | None) -> object:
        key, held = ledger_key(step, order), order.reservation or ""
        match step:
            case Step.RESERVE:
                return self._reservations.reserve(
                    order.lines, ttl_s=order.ttl_s, customer=order.customer, reference=order.reference, key=key
                )
            case Step.EXTEND:
                return self._reservations.extend(held, order.lasts_s)
            case Step.COMMIT:
                return self._reservations.commit(held, key=key)
            case Step.FULFIL:
                return self._reservations.fulfil(held, key=key)
            case Step.CANCEL:
                return self._reservations.cancel(held, key=key)
            case Step.CHARGE:
                return _function("charge", charge)(order, order.charge_key)
            case Step.FIND:
                return _function("find", self._find)(order, order.charge_key)
            case Step.REFUND:
                return _function("refund", self._refund)(order, order.refund_key)

    def _row(self, key: str) -> Row:
        row = self._journal.get(argument.text("key", key))
        if row is None:
            raise NotFound(f"the journal has no order {key}", "order", key)
        return row

    def _claimed(self, key: str, worker: str) -> Row:
        row = self._journal.claim(argument.text("key", key), worker, self._lease_s)
        if row is None:
            standing = self._row(key)
            raise OrderBusy(Order.read(key, standing.document), max(0.0, standing.due_at_s - standing.now_s))
        return row

    def _save(self, asked: Save, worker: str) -> Row | None:
        order = asked.order
        return self._journal.save(
            *(order.key, asked.version, order.state, order.is_open, order.document()),
            *asked.whose(worker, self._lease_s),
        )


class Saga:
    """An order on its way. Each step does what comes before it too, nothing twice, and gives the `Saga` again.

    After a crash the same steps with the same key go on where they were. Raises OrderRefused, OrderDeclined,
    OrderExpired, OrderCancelled, ChargeUnknown, ChargeUnresolved, ChargedWithoutStock and OrderBusy, each with the
    order; IdempotencyMismatch if the key is another order's; Invalid if there is no function for a step; NotFound if
    the client's key may not see the hold; and Later, JournalError: then take the step again, or resume the order.

    >>> from stockwire.orders import Orders, SqliteJournal
    >>> def charge(order, key):
    ...     return f"charge of {order.data['euros']} euros"
    >>> with SqliteJournal(":memory:") as journal:
    ...     order = Orders(client, journal).order
    ...     basket = order([held("A-100", "berlin", 2)], key=f"order-{receipt_number}", data={"euros": 20})
    ...     sold = basket.reserve().charge(charge).commit()
    >>> sold.order.charge, client.stock.get("A-100", "berlin").reserved
    ('charge of 20 euros', 2)
    """

    def __init__(
        self,
        to: Callable[[Order, OrderState, ChargeFunction | None], Order],
        order: Order,
        charge: ChargeFunction | None,
    ) -> None:
        self._taken_to = to
        self._order = order
        self._charge = charge

    @property
    def order(self) -> Order:
        """As it stood after the last step of this `Saga`."""
        return self._order

    def reserve(self) -> Self:
        """Hold its units. Left alone, they are free again when its time is over."""
        return self._to(OrderState.RESERVED)

    def charge(self, charge: ChargeFunction | None = None) -> Self:
        """Take the money. ``charge``: instead of that of the `Orders`, which whoever resumes it uses."""
        if charge is not None:
            argument.function("charge", charge)
            self._charge = charge
        _function("charge", self._charge)
        return self._to(OrderState.CHARGED)

    def commit(self) -> Self:
        """It is sold: the units are the customer's, without an end."""
        return self._to(OrderState.COMMITTED)

    def fulfil(self) -> Self:
        """The goods leave: on hand and reserved fall."""
        return self._to(OrderState.FULFILLED)

    def _to(self, until: OrderState) -> Self:
        self._order = self._taken_to(self._order, until, self._charge)
        return self


def _function(name: str, function: _AnyFunction | None) -> _AnyFunction:
    if function is None:
        raise no_function(name)
    return function
