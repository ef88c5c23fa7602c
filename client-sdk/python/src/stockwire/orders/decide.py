"""What comes next for an order, of what its journal says and of what was tried in this run. Pure: no clock, no socket.

The rule behind all of it: money may have been taken as soon as the provider may have been asked, and only the provider
knows. So an order leaves ``charging`` with the provider's word alone: a charge, a no, or "there is none" once that is
final. What no word comes of is ``unresolved``, and reported; it is never cancelled on a guess.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import cast

from stockwire import argument
from stockwire.errors import HoldLimit, Invalid, NotFound, OutOfStock, Refused, ReservationExpired, ReservationState
from stockwire.orders.order import Declined, Limit, Order, OrderState, Shortage
from stockwire.reservation import Reservation

WAIT_FIRST_S = 0.25
WAIT_MAX_S = 4.0
"""Between two questions to a provider in one run; it doubles. A customer looks on."""
LAPSE_GRACE_S = 5.0
"""How long behind its end a hold that nobody charges for is looked at."""
RESUME_AFTER_S = 5.0
"""What stopped on its way is resumed then, if nobody does before."""
LOOK_AFTER_S = 300.0
"""What waits for a person or for stock."""

_WAYS = [OrderState.RESERVED, OrderState.CHARGED, OrderState.COMMITTED, OrderState.FULFILLED]


class Step(StrEnum):
    """What is asked of somebody else: of the ledger, or (charge, find, refund) of the provider."""

    RESERVE = "reserve"
    EXTEND = "extend"
    CHARGE = "charge"
    FIND = "find"
    COMMIT = "commit"
    FULFIL = "fulfil"
    CANCEL = "cancel"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Policy:
    """``charge_for_s``: how long a provider is asked for an answer, over all runs; ``tries_max``: how often in one.

    ``late_s``: a charge that was asked for so long ago and is not to be found will never be; None: that is never sure.
    ``can_charge``: whether this run has a function for it.
    """

    can_find: bool = False
    can_refund: bool = False
    charge_for_s: float = 3_600.0
    tries_max: int = 3
    late_s: float | None = None
    can_charge: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """What one run has learnt that is in no journal.

    ``lapsed``: the hold has ended, or is somebody else's by now. ``pending``: it was found to be neither. ``absent``:
    the provider knows of no charge, and was not asked for one since. ``tries``: questions that it left open.
    ``commits``: how often the stock was asked for.
    """

    lapsed: bool = False
    pending: bool = False
    absent: bool = False
    tries: int = 0
    commits: int = 0


@dataclass(frozen=True, slots=True)
class Next:
    """``order``: as the journal must have it before the step is taken. ``step`` None: only that."""

    step: Step | None
    order: Order
    wait_s: float = 0.0


def decide_next(order: Order, until: OrderState, run: Run, policy: Policy, now_s: float) -> Next | None:
    """None: this run can do no more. ``until``: how far it is to go."""
    match order.state:
        case OrderState.RESERVING:
            return Next(Step.RESERVE, order) if policy.can_charge or not unpaid(order, until) else None
        case OrderState.RESERVED:
            return _reserved(order, until, run, policy, now_s)
        case OrderState.CHARGING:
            return _charging(order, run, policy, now_s)
        case OrderState.UNRESOLVED:
            return _unresolved(order, run, policy, now_s)
        case OrderState.CHARGED:
            return Next(Step.COMMIT, order) if _wants(until, OrderState.COMMITTED) else None
        case OrderState.COMMITTED:
            return Next(Step.FULFIL, order) if _wants(until, OrderState.FULFILLED) else None
        case OrderState.CHARGED_WITHOUT_STOCK:
            return _without_stock(order, run, policy)
        case OrderState.CANCELLING:
            return Next(Step.CANCEL, order)
        case OrderState.REFUNDING:
            return Next(Step.REFUND, order) if policy.can_refund else None
        case _:
            return None


def _wants(until: OrderState, state: OrderState) -> bool:
    return _WAYS.index(until) >= _WAYS.index(state)


def unpaid(order: Order, until: OrderState) -> bool:
    """Whether it is to be charged on its way there, and the provider was certainly not asked yet."""
    return _wants(until, OrderState.CHARGED) and order.state in (OrderState.RESERVING, OrderState.RESERVED)


def _reserved(order: Order, until: OrderState, run: Run, policy: Policy, now_s: float) -> Next | None:
    if not policy.can_charge or not unpaid(order, until):  # nobody asks to be paid: nothing can have been taken
        over = now_s >= (order.held_until_s or 0.0) + LAPSE_GRACE_S
        return Next(None, _expired(order)) if over else None
    if run.lapsed:
        return Next(None, _expired(order))
    if not _sure(order, now_s):
        return Next(Step.EXTEND, order)
    asked = replace(order, state=OrderState.CHARGING, charging_at_s=now_s, asked_at_s=now_s)
    return Next(Step.CHARGE, asked)


def _charging(order: Order, run: Run, policy: Policy, now_s: float) -> Next | None:
    over = run.lapsed or now_s - (order.charging_at_s or now_s) > policy.charge_for_s
    unresolved = Next(None, replace(order, state=OrderState.UNRESOLVED))
    if policy.can_find and not run.absent:  # also after the last try: it may have come to something
        if run.tries > policy.tries_max:
            return unresolved if over else None
        if run.tries and not over and not _sure(order, now_s):  # what may be paid for stays held while nobody answers
            return Next(Step.EXTEND, order)
        return Next(Step.FIND, order, _wait_s(run.tries))
    if over:
        return _given_up(order, run, policy, now_s) or unresolved
    if run.tries >= policy.tries_max or not policy.can_charge:
        return None
    if not _sure(order, now_s):  # nothing is taken for stock that may be gone
        return Next(Step.EXTEND, order)
    wait_s = 0.0 if policy.can_find else _wait_s(run.tries)
    return Next(Step.CHARGE, replace(order, asked_at_s=now_s), wait_s)


def _sure(order: Order, now_s: float) -> bool:
    return order.sure_until_s is not None and now_s < order.sure_until_s


def _unresolved(order: Order, run: Run, policy: Policy, now_s: float) -> Next | None:
    if policy.can_find and not run.absent:
        return Next(Step.FIND, order) if run.tries == 0 else None
    return _given_up(order, run, policy, now_s)


def _given_up(order: Order, run: Run, policy: Policy, now_s: float) -> Next | None:
    """Nothing was taken, if that is sure."""
    final = policy.late_s is not None and now_s - (order.asked_at_s or now_s) > policy.late_s
    if not run.absent or not final:
        return None
    if run.lapsed:
        return Next(None, _expired(order))
    if not run.pending:  # whatever was sold meanwhile, at the desk, is not let go of
        return Next(Step.EXTEND, order)
    return Next(Step.CANCEL, cancelling(order, OrderState.EXPIRED))


def _expired(order: Order) -> Order:
    """The ledger itself lets go of what is overdue. What it still holds was sold or kept by somebody else since."""
    return replace(order, state=OrderState.EXPIRED, ending=OrderState.EXPIRED)


def _without_stock(order: Order, run: Run, policy: Policy) -> Next | None:
    if left_in_part(order):
        return None
    if policy.can_refund:
        return Next(Step.CANCEL, cancelling(order, OrderState.REFUNDED, order.reason))
    if (
        order.shortage is not None and run.commits == 0
    ):  # it may have come back; under its key this was refused for ever
        return Next(Step.COMMIT, replace(order, commits=order.commits + 1))
    return None


def goes_on(order: Order, until: OrderState) -> Order:
    """Somebody wants it to come so far: whoever resumes it takes it there. Once it is to be paid for, to its end."""
    goal = OrderState.COMMITTED if until is OrderState.CHARGED else until
    return replace(order, goal=goal) if not _wants(order.goal, goal) else order


def cancelling(order: Order, ending: OrderState, reason: str | None = None) -> Order:
    return replace(order, state=OrderState.CANCELLING, ending=ending, reason=reason or order.reason)


def _wait_s(tries: int) -> float:
    return min(WAIT_MAX_S, WAIT_FIRST_S * 2 ** (tries - 1)) if tries else 0.0


def after(order: Order, run: Run, step: Step, outcome: object, now_s: float) -> tuple[Order, Run]:
    """Where the order stands once ``step`` gave ``outcome``, its answer or its error; what it began is ``now_s``.

    Raises the outcome if it says nothing about the order: then the step is taken again, by whoever resumes it.
    """
    match step:
        case Step.RESERVE:
            return _after_reserve(order, run, outcome, now_s)
        case Step.EXTEND:
            return _after_extend(order, run, outcome, now_s)
        case Step.CHARGE:
            return _after_charge(order, run, outcome)
        case Step.FIND:
            return _after_find(order, run, outcome)
        case Step.COMMIT:
            return _after_commit(order, replace(run, commits=run.commits + 1), outcome)
        case Step.FULFIL:
            _raise(outcome)
            return replace(order, state=OrderState.FULFILLED), run
        case Step.CANCEL:
            return _after_cancel(order, outcome), run
        case Step.REFUND:
            _raise(outcome)
            return replace(order, state=OrderState.REFUNDED, refund=argument.text("refund", outcome)), run


def _after_reserve(order: Order, run: Run, outcome: object, now_s: float) -> tuple[Order, Run]:
    no = replace(order, state=OrderState.REFUSED, reason=str(outcome))
    if isinstance(outcome, OutOfStock):
        numbers = (outcome.requested, outcome.available, outcome.locations)
        return replace(no, shortage=Shortage(outcome.sku, outcome.location, *numbers)), run
    if isinstance(outcome, HoldLimit):
        return replace(no, limit=_limit(outcome)), run
    if isinstance(outcome, Refused | Invalid | NotFound):  # the same request can never succeed
        return no, run
    _raise(outcome)
    made = cast(Reservation, outcome)
    lasts_s = None if made.expires_at is None else round((made.expires_at - made.created_at).total_seconds())
    held = replace(_held(replace(order, hold_s=lasts_s), now_s), state=OrderState.RESERVED, reservation=made.id)
    if made.result is not None and made.result.replayed:  # nobody knows how much of its time is left
        held = replace(held, sure_until_s=None)
    return held, run


def _limit(error: HoldLimit) -> Limit:
    numbers = (error.limit, error.allowed, error.held, error.requested)
    return Limit(*numbers, error.customer, error.owner, error.sku, error.location)


def asked_again(order: Order) -> Order:
    """By its customer. A limit may let pass now what it refused, under the same key: the ledger forgets such a no.

    Nobody who resumes it asks again: the customer was told that there is no sale.
    """
    if order.state is not OrderState.REFUSED or order.limit is None:
        return order
    return replace(order, state=OrderState.RESERVING, reason=None, limit=None)


def _after_extend(order: Order, run: Run, outcome: object, now_s: float) -> tuple[Order, Run]:
    if isinstance(outcome, ReservationExpired | ReservationState):
        return order, replace(run, lapsed=True)
    _raise(outcome)
    return _held(order, now_s), replace(run, pending=True)


def _held(order: Order, now_s: float) -> Order:
    """The second half of its time is for the provider to answer in."""
    return replace(order, held_until_s=now_s + order.lasts_s, sure_until_s=now_s + order.lasts_s / 2)


def _after_charge(order: Order, run: Run, outcome: object) -> tuple[Order, Run]:
    if isinstance(outcome, Declined):
        return cancelling(order, OrderState.DECLINED, outcome.reason), run
    if isinstance(outcome, Exception):
        return order, replace(run, absent=False, tries=run.tries + 1)
    return _charged(order, outcome), run


def _after_find(order: Order, run: Run, outcome: object) -> tuple[Order, Run]:
    if isinstance(outcome, Exception):
        return order, replace(run, tries=run.tries + 1)
    if outcome is None:
        return order, replace(run, absent=True)
    return _charged(order, outcome), run


def _charged(order: Order, charge: object) -> Order:
    if not argument.text("charge", charge):
        raise Invalid("charge", "the function gave an empty text: it gives the provider's id of the charge")
    return replace(goes_on(order, OrderState.CHARGED), state=OrderState.CHARGED, charge=cast(str, charge))


def _after_commit(order: Order, run: Run, outcome: object) -> tuple[Order, Run]:
    gone = replace(order, state=OrderState.CHARGED_WITHOUT_STOCK, reason=str(outcome))
    if isinstance(outcome, ReservationExpired):
        return replace(gone, shortage=_shortage(outcome)), run
    if isinstance(outcome, ReservationState):
        return replace(gone, shortage=None), run
    _raise(outcome)  # also NotFound: the ledger says so of whatever a key may not see, and holds are never deleted
    return replace(order, state=OrderState.COMMITTED, reason=None, shortage=None), run


def _shortage(error: ReservationExpired) -> Shortage | None:
    if error.sku is None or error.location is None or error.requested is None or error.available is None:
        return None
    return Shortage(error.sku, error.location, error.requested, error.available)


def _after_cancel(order: Order, outcome: object) -> Order:
    owed = order.charge is not None and order.refund is None
    if isinstance(outcome, ReservationState):  # nothing is held any more
        if owed and outcome.state == "fulfilled":
            left = "its goods had left before it was to be cancelled"
            return replace(order, state=OrderState.FULFILLED, ending=None, reason=left)
    else:
        _raise(outcome)
        sent = sum(line.fulfilled for line in cast(Reservation, outcome).lines)
        if owed and sent:
            left = f"{sent} of its units had left, and the others are let go of: what of it goes back is for a person"
            return replace(order, state=OrderState.CHARGED_WITHOUT_STOCK, ending=OrderState.FULFILLED, reason=left)
    return replace(order, state=OrderState.REFUNDING if owed else order.ending or OrderState.CANCELLED)


def left_in_part(order: Order) -> bool:
    """Some of it is with the customer, the rest is let go of: how much goes back, nobody knows here."""
    return order.state is OrderState.CHARGED_WITHOUT_STOCK and order.ending is OrderState.FULFILLED


def _raise(outcome: object) -> None:
    if isinstance(outcome, Exception):
        raise outcome


def adopted(order: Order, charge: str) -> Order | None:
    """A charge came to light while somebody else went on with the order: how it has to stand. None: they know of it.

    Whoever is still asking the provider, under the same key, hears of it from there.
    """
    if order.charge is not None or order.state is OrderState.CHARGING:
        return None
    if order.state is OrderState.UNRESOLVED:
        return _charged(order, charge)
    reason = f"it was charged after it had ended as {order.state}"
    return replace(order, state=OrderState.CHARGED_WITHOUT_STOCK, charge=charge, reason=reason, shortage=None)


def due_in_s(order: Order, now_s: float) -> float:
    """When somebody is to look at an order again that is let go of like this."""
    if order.state is OrderState.RESERVED and order.goal is OrderState.RESERVED:
        return max(RESUME_AFTER_S, (order.held_until_s or now_s) - now_s + LAPSE_GRACE_S)
    waits = order.state in (OrderState.UNRESOLVED, OrderState.CHARGED_WITHOUT_STOCK)
    return LOOK_AFTER_S if waits else RESUME_AFTER_S
