"""What comes next for an order, transition by transition."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stockwire import (
    HoldLimit,
    Invalid,
    NotFound,
    OutcomeUnknown,
    OutOfStock,
    Reservation,
    ReservationExpired,
    ReservationLine,
    ReservationState,
    held,
    held_from,
)
from stockwire.operation import OperationResult
from stockwire.orders import Declined, JournalError, Limit, Order, OrderState, OrderTaken, Row, Shortage
from stockwire.orders.ask import ledger_key, new_order, policy_of
from stockwire.orders.by_hand import cancelled, refunded, settled, was_cancelled
from stockwire.orders.decide import Policy, Run, Step, adopted, after, asked_again, decide_next, due_in_s, goes_on
from stockwire.orders.saga import Look, Save, run_of

NOW = 1_000.0
NEW = Order("o-1", (held("A-1", "berlin", 2), held_from("B-1", ["berlin", "paris"], split=True)), 60)
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
S = OrderState
KNOWS = Policy(can_find=True, can_refund=True)
BLIND = Policy()
CANNOT = replace(KNOWS, can_charge=False)
SOON, LATE = replace(KNOWS, late_s=0.5), replace(KNOWS, late_s=2.0)
EXPIRED = ReservationExpired("r-1", WHEN, "A-1", "berlin", 1, 2)
STATE = ReservationState("r-1", "cancelled", "commit", "it is over")


def order(state: OrderState, **changes: object) -> Order:
    """As it stands there, with a hold that is sure and a charge asked for just now."""
    known: dict[str, object] = {
        "goal": S.COMMITTED,
        "reservation": "r-1",
        "held_until_s": NOW + 60,
        "sure_until_s": NOW + 30,
    }
    if state in (S.CHARGING, S.UNRESOLVED):
        known |= {"charging_at_s": NOW - 1, "asked_at_s": NOW - 1}
    return replace(NEW, state=state, **known | changes)  # type: ignore[arg-type]  # fields by name


def reservation(replayed: bool = False, left: int = 0) -> Reservation:
    line = ReservationLine("A-1", "berlin", 2, 2 - left, 0, left, 0, 0)
    result = OperationResult("op-1", (), (), replayed, "k")
    return Reservation("r-1", "pending", "shop", None, None, 1, WHEN, None, (line,), result)


@pytest.mark.parametrize(
    ("standing", "until", "run", "policy", "step", "state"),
    [
        (replace(NEW), S.RESERVED, Run(), BLIND, Step.RESERVE, S.RESERVING),
        (order(S.RESERVED), S.RESERVED, Run(), BLIND, None, None),
        (order(S.RESERVED, held_until_s=NOW - 6), S.RESERVED, Run(), BLIND, None, S.EXPIRED),
        (order(S.RESERVED), S.CHARGED, Run(), BLIND, Step.CHARGE, S.CHARGING),
        (order(S.RESERVED, sure_until_s=NOW), S.CHARGED, Run(), BLIND, Step.EXTEND, S.RESERVED),
        (order(S.RESERVED, sure_until_s=None), S.CHARGED, Run(), BLIND, Step.EXTEND, S.RESERVED),
        (order(S.RESERVED), S.CHARGED, Run(lapsed=True), BLIND, None, S.EXPIRED),
        (order(S.CHARGING), S.CHARGED, Run(), KNOWS, Step.FIND, S.CHARGING),
        (order(S.CHARGING), S.CHARGED, Run(absent=True), KNOWS, Step.CHARGE, S.CHARGING),
        (order(S.CHARGING, sure_until_s=NOW), S.CHARGED, Run(absent=True), KNOWS, Step.EXTEND, S.CHARGING),
        (order(S.CHARGING), S.CHARGED, Run(), BLIND, Step.CHARGE, S.CHARGING),
        (order(S.CHARGING), S.CHARGED, Run(tries=3), BLIND, None, None),
        (order(S.CHARGING), S.CHARGED, Run(tries=3), KNOWS, Step.FIND, S.CHARGING),
        (order(S.CHARGING), S.CHARGED, Run(tries=3, absent=True), KNOWS, None, None),
        (order(S.CHARGING), S.CHARGED, Run(tries=4), KNOWS, None, None),
        (order(S.CHARGING, sure_until_s=NOW), S.CHARGED, Run(tries=1), KNOWS, Step.EXTEND, S.CHARGING),
        (order(S.CHARGING, sure_until_s=NOW), S.CHARGED, Run(tries=1, lapsed=True), KNOWS, Step.FIND, S.CHARGING),
        (order(S.CHARGING), S.CHARGED, Run(tries=4, lapsed=True), KNOWS, None, S.UNRESOLVED),
        (order(S.CHARGING), S.CHARGED, Run(lapsed=True), BLIND, None, S.UNRESOLVED),
        (order(S.CHARGING), S.CHARGED, Run(lapsed=True, absent=True), KNOWS, None, S.UNRESOLVED),
        (order(S.CHARGING, charging_at_s=NOW - 4_000), S.CHARGED, Run(absent=True), KNOWS, None, S.UNRESOLVED),
        (order(S.CHARGING), S.CHARGED, Run(lapsed=True, absent=True), LATE, None, S.UNRESOLVED),
        (order(S.CHARGING), S.CHARGED, Run(lapsed=True, absent=True), SOON, None, S.EXPIRED),
        (order(S.CHARGING, charging_at_s=NOW - 4_000), S.CHARGED, Run(absent=True), SOON, Step.EXTEND, S.CHARGING),
        (order(S.UNRESOLVED), S.COMMITTED, Run(absent=True), SOON, Step.EXTEND, S.UNRESOLVED),
        (order(S.UNRESOLVED), S.COMMITTED, Run(absent=True, pending=True), SOON, Step.CANCEL, S.CANCELLING),
        (order(S.UNRESOLVED), S.COMMITTED, Run(), BLIND, None, None),
        (order(S.UNRESOLVED), S.COMMITTED, Run(), KNOWS, Step.FIND, S.UNRESOLVED),
        (order(S.UNRESOLVED), S.COMMITTED, Run(absent=True), KNOWS, None, None),
        (order(S.UNRESOLVED), S.COMMITTED, Run(tries=1), KNOWS, None, None),
        (replace(NEW), S.COMMITTED, Run(), CANNOT, None, None),
        (replace(NEW), S.RESERVED, Run(), CANNOT, Step.RESERVE, S.RESERVING),
        (order(S.RESERVED), S.COMMITTED, Run(), CANNOT, None, None),
        (order(S.RESERVED, held_until_s=NOW - 6), S.COMMITTED, Run(), CANNOT, None, S.EXPIRED),
        (order(S.CHARGING), S.COMMITTED, Run(), CANNOT, Step.FIND, S.CHARGING),
        (order(S.CHARGING), S.COMMITTED, Run(absent=True), CANNOT, None, None),
        (order(S.CHARGED), S.COMMITTED, Run(), CANNOT, Step.COMMIT, S.CHARGED),
        (order(S.CHARGED), S.CHARGED, Run(), BLIND, None, None),
        (order(S.CHARGED), S.COMMITTED, Run(), BLIND, Step.COMMIT, S.CHARGED),
        (order(S.COMMITTED), S.COMMITTED, Run(), BLIND, None, None),
        (order(S.COMMITTED), S.FULFILLED, Run(), BLIND, Step.FULFIL, S.COMMITTED),
        (order(S.CHARGED_WITHOUT_STOCK), S.COMMITTED, Run(), KNOWS, Step.CANCEL, S.CANCELLING),
        (order(S.CHARGED_WITHOUT_STOCK), S.COMMITTED, Run(), BLIND, None, None),
        (order(S.CANCELLING), S.COMMITTED, Run(), BLIND, Step.CANCEL, S.CANCELLING),
        (order(S.REFUNDING), S.COMMITTED, Run(), KNOWS, Step.REFUND, S.REFUNDING),
        (order(S.REFUNDING), S.COMMITTED, Run(), BLIND, None, None),
        *((order(state), S.FULFILLED, Run(), KNOWS, None, None) for state in (S.REFUSED, S.DECLINED, S.EXPIRED)),
        *((order(state), S.FULFILLED, Run(), KNOWS, None, None) for state in (S.CANCELLED, S.REFUNDED, S.FULFILLED)),
    ],
)  # fmt: skip
def test_another_step_is_taken(
    standing: Order, until: OrderState, run: Run, policy: Policy, step: Step | None, state: OrderState | None
) -> None:
    following = decide_next(standing, until, run, policy, NOW)
    assert (following and following.step, following and following.order.state) == (step, state)


def test_stock_that_may_be_back_is_asked_for_under_the_key_that_was_refused() -> None:
    short = order(S.CHARGED_WITHOUT_STOCK, shortage=Shortage("A-1", "berlin", 2, 1), charge="ch-1")
    following = decide_next(short, S.COMMITTED, Run(), BLIND, NOW)
    assert following is not None
    assert (following.step, following.order.state) == (Step.COMMIT, S.CHARGED_WITHOUT_STOCK)
    assert [ledger_key(Step.COMMIT, one) for one in (NEW, following.order)] == ["o-1/commit", "o-1/commit/2"]
    assert decide_next(short, S.COMMITTED, Run(commits=1), BLIND, NOW) is None, "asked twice in one run"
    sold, _ = after(following.order, Run(), Step.COMMIT, reservation(), NOW)
    assert (sold.state, sold.shortage, sold.reason) == (S.COMMITTED, None, None)


@pytest.mark.parametrize(
    ("step", "outcome", "state", "ending"),
    [
        (Step.RESERVE, reservation(), S.RESERVED, None),
        (Step.RESERVE, OutOfStock("A-1", "berlin", 2, 1), S.REFUSED, None),
        (Step.RESERVE, HoldLimit("too many", "units", 1, 1, 1), S.REFUSED, None),
        (Step.RESERVE, Invalid("lines", "no"), S.REFUSED, None),
        (Step.RESERVE, NotFound("no such sku"), S.REFUSED, None),
        (Step.CHARGE, "ch-1", S.CHARGED, None),
        (Step.CHARGE, Declined("no"), S.CANCELLING, S.DECLINED),
        (Step.CHARGE, TimeoutError(), S.CHARGING, None),
        (Step.FIND, "ch-1", S.CHARGED, None),
        (Step.FIND, None, S.CHARGING, None),
        (Step.FIND, TimeoutError(), S.CHARGING, None),
        (Step.COMMIT, reservation(), S.COMMITTED, None),
        (Step.COMMIT, EXPIRED, S.CHARGED_WITHOUT_STOCK, None),
        (Step.COMMIT, STATE, S.CHARGED_WITHOUT_STOCK, None),
        (Step.FULFIL, reservation(), S.FULFILLED, None),
        (Step.CANCEL, reservation(), S.CANCELLED, None),
        (Step.CANCEL, STATE, S.CANCELLED, None),
        (Step.REFUND, "re-1", S.REFUNDED, None),
    ],
    ids=lambda value: str(value) if isinstance(value, Step) else type(value).__name__,
)  # fmt: skip
def test_an_outcome_leads_elsewhere(step: Step, outcome: object, state: OrderState, ending: OrderState | None) -> None:
    begun = {Step.RESERVE: S.RESERVING, Step.CHARGE: S.CHARGING, Step.FIND: S.CHARGING}.get(step, S.RESERVED)
    became, _ = after(order(begun), Run(), step, outcome, NOW)
    assert (became.state, became.ending) == (state, ending)


@pytest.mark.parametrize("step", [step for step in Step if step not in (Step.CHARGE, Step.FIND)])
def test_a_lost_answer_is_taken_for_a_no(step: Step) -> None:
    with pytest.raises(OutcomeUnknown):
        after(order(S.RESERVED), Run(), step, OutcomeUnknown("lost"), NOW)


@pytest.mark.parametrize("given", [None, "", 17, b"ch-1"])
def test_what_is_no_charge_is_taken_for_one(given: object) -> None:
    with pytest.raises(Invalid, match="charge"):
        after(order(S.CHARGING), Run(), Step.CHARGE, given, NOW)


def test_a_hold_is_thought_fresh_that_was_made_long_ago() -> None:
    made, _ = after(NEW, Run(), Step.RESERVE, reservation(), NOW)
    found, _ = after(NEW, Run(), Step.RESERVE, reservation(replayed=True), NOW)
    assert (made.sure_until_s, made.held_until_s) == (NOW + 30, NOW + 60)
    assert found.sure_until_s is None


def test_a_provider_is_asked_again_what_it_has_answered() -> None:
    _, run = after(order(S.CHARGING), Run(), Step.FIND, None, NOW)
    assert run.absent
    _, run = after(order(S.CHARGING), run, Step.CHARGE, TimeoutError(), NOW)
    assert (run.absent, run.tries) == (False, 1)


def test_whoever_pays_for_a_basket_is_left_with_a_charge() -> None:
    assert goes_on(NEW, S.CHARGED).goal is S.COMMITTED
    assert goes_on(goes_on(NEW, S.FULFILLED), S.RESERVED).goal is S.FULFILLED
    paid, _ = after(order(S.CHARGING, goal=S.RESERVED), Run(), Step.FIND, "ch-1", NOW)
    assert paid.goal is S.COMMITTED


def test_money_that_is_owed_is_forgotten_when_the_hold_is_let_go_of() -> None:
    owed, _ = after(order(S.CANCELLING, charge="ch-1", ending=S.CANCELLED), Run(), Step.CANCEL, reservation(), NOW)
    assert owed.state is S.REFUNDING
    paid_back = order(S.CANCELLING, charge="ch-1", refund="re-1", ending=S.CANCELLED)
    assert after(paid_back, Run(), Step.CANCEL, reservation(), NOW)[0].state is S.CANCELLED


def test_money_goes_back_for_goods_that_have_left() -> None:
    sold = order(S.CANCELLING, charge="ch-1", ending=S.CANCELLED)
    left = ReservationState("r-1", "fulfilled", "cancel", "nothing of it is pending")
    became, _ = after(sold, Run(), Step.CANCEL, left, NOW)
    assert (became.state, became.ending) == (S.FULFILLED, None)
    with pytest.raises(Invalid, match="has left"):
        was_cancelled(became)
    in_part, _ = after(sold, Run(), Step.CANCEL, reservation(left=1), NOW)
    assert (in_part.state, in_part.reason and in_part.reason[:10]) == (S.CHARGED_WITHOUT_STOCK, "1 of its u")
    assert decide_next(in_part, S.COMMITTED, Run(), KNOWS, NOW) is None, "gave all of it back by itself"
    with pytest.raises(Invalid, match="has left in part"):
        cancelled(in_part, "not wanted")
    for answer in (left, reservation(left=1)):
        assert after(refunded(in_part, "re-1"), Run(), Step.CANCEL, answer, NOW)[0].state is S.REFUNDED
        unpaid = order(S.CANCELLING, ending=S.DECLINED)
        assert after(unpaid, Run(), Step.CANCEL, answer, NOW)[0].state is S.DECLINED


@pytest.mark.parametrize("step", [Step.EXTEND, Step.COMMIT, Step.CANCEL])
def test_a_hold_is_thought_gone_that_this_key_may_not_see(step: Step) -> None:
    with pytest.raises(NotFound):
        after(order(S.CHARGED, charge="ch-1"), Run(), step, NotFound("no such reservation"), NOW)


@pytest.mark.parametrize("state", [S.DECLINED, S.EXPIRED, S.CANCELLED, S.CANCELLING])
def test_a_charge_that_came_to_light_late_is_lost(state: OrderState) -> None:
    standing = adopted(order(state), "ch-1")
    assert standing is not None
    assert (standing.state, standing.charge) == (S.CHARGED_WITHOUT_STOCK, "ch-1")


def test_a_charge_that_others_know_of_disturbs_them() -> None:
    assert adopted(order(S.COMMITTED, charge="ch-1"), "ch-1") is None
    assert adopted(order(S.CHARGING), "ch-1") is None
    asked = adopted(order(S.UNRESOLVED), "ch-1")
    assert asked is not None
    assert asked.state is S.CHARGED


@pytest.mark.parametrize("state", list(OrderState))
def test_what_a_person_says_of_an_order_breaks_it(state: OrderState) -> None:
    paid = state in (S.CHARGED, S.COMMITTED, S.CHARGED_WITHOUT_STOCK, S.REFUNDING, S.REFUNDED, S.FULFILLED)
    standing = order(state, charge="ch-1" if paid else None)
    if state in (S.CHARGING, S.UNRESOLVED):
        assert settled(standing, "ch-9").charge == "ch-9"
        assert settled(standing, None).state is S.CANCELLING
    else:
        with pytest.raises(Invalid, match="can be settled"):
            settled(standing, "ch-9")
    if state in (S.CHARGED_WITHOUT_STOCK, S.REFUNDING):
        assert refunded(standing, "re-9").refund == "re-9"
    else:
        with pytest.raises(Invalid, match="nothing of it waits"):
            refunded(standing, "re-9")
    if state in (S.RESERVING, S.CHARGING, S.UNRESOLVED, S.FULFILLED):
        with pytest.raises(Invalid, match="o-1"):
            cancelled(standing, "not wanted")
    elif state in (S.RESERVED, S.CHARGED, S.COMMITTED, S.CHARGED_WITHOUT_STOCK):
        assert (cancelled(standing, "not wanted").state, cancelled(standing, "x").ending) == (S.CANCELLING, S.CANCELLED)
    else:
        assert cancelled(standing, "not wanted") == standing


@pytest.mark.parametrize("state", list(OrderState))
def test_a_journal_gives_back_another_order(state: OrderState) -> None:
    written = order(
        state, charge="ch-1", ending=S.DECLINED, shortage=Shortage("A-1", "berlin", 2, 1), data={"card": "1"}
    )
    assert Order.read(written.key, written.document()) == written


def test_the_same_request_looks_like_another_or_another_like_it() -> None:
    one = new_order(NEW.lines, "o-1", 60, None, None, {"b": 1, "a": 2})
    assert one.asks_for() == order(S.COMMITTED, reference="o-1", data={"a": 2, "b": 1}).asks_for()
    others = [
        replace(one, ttl_s=61),
        replace(one, data={}),
        replace(one, lines=NEW.lines[:1]),
        replace(one, customer="c"),
    ]
    assert len({other.asks_for() for other in (one, *others)}) == 5


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        *(("key", {"key": key}) for key in ("", "a b", '"o', "x" * 161, "ö", 7)),
        ("lines", {"lines": []}),
        ("lines[0]", {"lines": ["A-1"]}),
        *(("ttl_s", {"ttl_s": ttl_s}) for ttl_s in (0, -1, 2**31, 1.5)),
        ("data", {"data": {"at": WHEN}}),
        ("customer", {"customer": 7}),
    ],
)
def test_a_senseless_order_is_begun(field: str, changes: dict[str, object]) -> None:
    asked: dict[str, object] = {
        "lines": NEW.lines,
        "key": "o",
        "ttl_s": 60,
        "customer": None,
        "reference": None,
        "data": None,
    }
    with pytest.raises(Invalid) as invalid:
        new_order(**asked | changes)  # type: ignore[arg-type]  # senseless on purpose
    assert invalid.value.field == field


def test_a_charge_that_a_process_asks_for_within_its_lease_is_too_late() -> None:
    assert policy_of(True, True, 10.0, 5.0, 120.0).late_s == 125.0
    assert policy_of(True, True, 10.0, None, 120.0).late_s is None


def test_a_sold_order_that_somebody_began_to_send_is_forgotten() -> None:
    assert order(S.COMMITTED, goal=S.FULFILLED).is_open
    assert not order(S.COMMITTED).is_open
    assert not order(S.FULFILLED, goal=S.FULFILLED).is_open


@pytest.mark.parametrize("document", ['{"lines":[],"ttl_s":60,"state":"of a later release"}', "{}", "no JSON"])
def test_an_order_that_cannot_be_read_breaks_in_another_way_than_its_journal(document: str) -> None:
    with pytest.raises(JournalError, match="o-1 cannot be read"):
        Order.read("o-1", document)


def test_who_lost_an_order_is_told_what_was_never_written() -> None:
    theirs = order(S.CANCELLED)
    row = Row("o-1", 1, order(S.RESERVED).document(), "me", NOW + 60, NOW)
    run = run_of(row, order(S.RESERVED), S.CHARGED, BLIND, 60.0, lambda: 0.0)
    assert isinstance(next(run), Save)
    assert isinstance(run.send(None), Look)
    with pytest.raises(OrderTaken) as taken:
        run.send(replace(row, document=theirs.document()))
    assert taken.value.order.state is S.CANCELLED


def test_a_limit_that_may_pass_later_ends_an_order_for_ever_or_its_numbers_are_lost() -> None:
    refusal = HoldLimit("too many", "customer-units", 2, 1, 2, customer="c-1", sku="A-1")
    refused, _ = after(order(S.RESERVING, reservation=None), Run(), Step.RESERVE, refusal, NOW)
    assert (refused.state, refused.is_open) == (S.REFUSED, False), "sold later to a customer who was told no"
    assert refused.limit == Limit("customer-units", 2, 1, 2, customer="c-1", sku="A-1")
    assert Order.read("o-1", refused.document()) == refused
    again = asked_again(refused)
    assert (again.state, again.limit, again.reason) == (S.RESERVING, None, None)
    assert ledger_key(Step.RESERVE, again) == ledger_key(Step.RESERVE, NEW)
    short, _ = after(again, Run(), Step.RESERVE, OutOfStock("A-1", "berlin", 2, 1, {"berlin": 1, "paris": 0}), NOW)
    assert short.shortage == Shortage("A-1", "berlin", 2, 1, {"berlin": 1, "paris": 0})
    assert asked_again(short) == short, "the ledger remembers this no"


def test_an_order_thinks_itself_held_for_longer_than_an_item_allows() -> None:
    brief = replace(reservation(), expires_at=WHEN + timedelta(seconds=300))
    unsaid = new_order(NEW.lines, "o-1", None, None, None, None)
    made, _ = after(unsaid, Run(), Step.RESERVE, brief, NOW)
    assert (made.lasts_s, made.held_until_s, made.sure_until_s) == (300, NOW + 300, NOW + 150)
    assert made.asks_for() == unsaid.asks_for()


def test_a_basket_is_looked_at_before_its_time_is_over() -> None:
    assert due_in_s(order(S.RESERVED, goal=S.RESERVED), NOW) > 60
    assert due_in_s(order(S.CHARGED), NOW) < due_in_s(order(S.UNRESOLVED), NOW)
