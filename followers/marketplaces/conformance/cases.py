"""The cases: each a coroutine over a fresh Bench, which raises AssertionError in words.

@pytest.mark.parametrize("case", CASES)
async def test_conforms(case, bench): await run(case, bench)
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from followers.marketplaces.adapter import (
    Accepted,
    AccessRefused,
    Applied,
    Listing,
    Notice,
    Outcome,
    Refused,
    RemoteAway,
    Stale,
    Target,
    Throttled,
    Unknown,
)
from followers.marketplaces.conformance.bench import DOWNS, Bench
from followers.marketplaces.conformance.steps import (
    LOOK_EVERY_S,
    WITHIN_S,
    all_listings,
    await_quantities,
    await_quantity,
    await_refusal,
    batches,
    met_by,
    noticed,
    orders_since,
    polled,
    push_all,
    sold,
    told_of,
)
from followers.marketplaces.pushing.sending import send

BATCH_TRIED_MAX = 250

Case = Callable[[Bench], Awaitable[None]]
CASES: dict[str, Case] = {}
NEEDS: dict[str, str] = {}
"""What a bench must not lack for a case."""


class LeftOut(Exception):
    """The bench lacks what the case needs."""


async def run(name: str, bench: Bench) -> None:
    """Raises AssertionError; LeftOut where the bench lacks what is needed (let the test be skipped)."""
    if NEEDS.get(name) in bench.lacks:
        raise LeftOut(f"it lacks {NEEDS[name]}")
    await CASES[name](bench)


def case(*, needs: str | None = None) -> Callable[[Case], Case]:
    def add(one: Case) -> Case:
        name = one.__name__.replace("_", " ")
        CASES[name] = one
        if needs:
            NEEDS[name] = needs
        return one

    return add


# What goes out


@case()
async def pushes_one(bench: Bench) -> None:
    remote = await bench.offer(bench.sku(1), 5)
    await push_all(bench, Target(remote, 3, 5, "kit-1"))
    await await_quantity(bench, remote, 3)


@case()
async def pushes_a_full_batch(bench: Bench) -> None:
    size = min(bench.adapter.batch, BATCH_TRIED_MAX)
    remotes = [await bench.offer(bench.sku(number), 1) for number in range(size)]
    targets = [Target(remote, number % 7 + 2, 1, f"kit-{number}") for number, remote in enumerate(remotes)]
    await push_all(bench, *targets)
    await await_quantities(bench, {target.remote: target.quantity for target in targets})


@case()
async def pushes_a_zero(bench: Bench) -> None:
    remote = await bench.offer(bench.sku(1), 5)
    await push_all(bench, Target(remote, 0, 5, "kit-1"))
    await await_quantity(bench, remote, 0)


@case()
async def cuts_a_poisoned_listing_out_of_its_batch(bench: Bench) -> None:
    good = [await bench.offer(bench.sku(number), 5) for number in range(min(3, bench.adapter.batch))]
    targets = [Target(remote, 2, 5, f"kit-{remote}") for remote in good]
    targets.insert(1, Target(bench.missing, 2, None, "kit-missing"))
    outcomes: dict[str, Outcome] = {}
    for batch in batches(targets, bench.adapter.batch):
        outcomes |= zip((one.remote for one in batch), await send(bench.adapter, batch), strict=True)
    poisoned = outcomes.pop(bench.missing)
    assert isinstance(poisoned, Refused), f"a listing that does not exist there is {poisoned}, not refused"
    assert poisoned.reason, "a refusal says why, in the channel's words"
    again = [one for one in targets if isinstance(outcomes.get(one.remote), Throttled)]
    if again:  # nothing was done of the whole batch
        await push_all(bench, *again)
    for remote, outcome in outcomes.items():
        assert not isinstance(outcome, Refused), f"a good listing beside a poisoned one is {outcome}"
        await await_quantity(bench, remote, 2)


@case()
async def does_no_harm_with_a_key_that_is_repeated(bench: Bench) -> None:
    remote = await bench.offer(bench.sku(1), 5)
    target = Target(remote, 3, 5, "kit-1")
    await push_all(bench, target)
    (outcome,) = await bench.adapter.push([target])
    assert isinstance(outcome, Applied | Accepted | Stale), f"the same once more, under its key, is {outcome}"
    await await_quantity(bench, remote, 3)


@case()
async def overwrites_nothing_that_it_did_not_expect(bench: Bench) -> None:
    if not bench.adapter.compares:
        raise LeftOut("it does not compare")
    remote = await bench.offer(bench.sku(1), 5)
    await bench.set(remote, 4)
    (outcome,) = await bench.adapter.push([Target(remote, 9, 5, "kit-1")])
    assert isinstance(outcome, Stale), f"where 4 stand and 5 were expected, 9 is {outcome}"
    assert await bench.quantity(remote) == 4, "a stale push has changed something"


@case(needs="throttled")
async def says_when_it_is_throttled(bench: Bench) -> None:
    remote = await bench.offer(bench.sku(1), 5)
    await bench.throttle()
    (outcome,) = await bench.adapter.push([Target(remote, 3, 5, "kit-1")])
    assert isinstance(outcome, Throttled), f"with its quota spent a push is {outcome}"
    assert outcome.after_s >= 0
    assert await bench.quantity(remote) == 5, "a throttled push has changed something"


async def _is_away(bench: Bench, manner: str) -> None:
    remote = await bench.offer(bench.sku(1), 5)
    await bench.down(manner)
    target = Target(remote, 3, 5, "kit-1")
    try:
        outcomes: Sequence[Outcome] = await bench.adapter.push([target])
    except AccessRefused as error:
        raise AssertionError(f"{manner}: it is away, not our access refused: {error}") from error
    except RemoteAway:
        outcomes = [Unknown("")]
    assert isinstance(outcomes[0], Unknown), f"{manner}: a push is {outcomes[0]}, though nobody can know"
    for met in await met_by(bench):
        assert isinstance(met, RemoteAway), f"{manner}: it is away, and the answer was {met!r}"
        assert not isinstance(met, AccessRefused), f"{manner}: it is away, not our access refused: {met!r}"
        assert str(met), f"{manner}: an outage says what it is"
    await bench.down(None)
    await push_all(bench, Target(remote, 2, await bench.quantity(remote), "kit-2"))
    await await_quantity(bench, remote, 2)


def _add_downs() -> None:
    def away(manner: str) -> Case:
        async def one(bench: Bench) -> None:
            await _is_away(bench, manner)

        return one

    for manner in DOWNS:
        name = f"is away while its channel {manner.replace('_', ' ')}"
        CASES[name], NEEDS[name] = away(manner), manner


_add_downs()


@case(needs="signs_in")
async def signs_in_again_when_its_token_is_no_longer_good(bench: Bench) -> None:
    remote = await bench.offer(bench.sku(1), 5)
    await bench.expire_token()
    await push_all(bench, Target(remote, 3, 5, "kit-1"))
    await await_quantity(bench, remote, 3)


@case()
async def says_that_its_access_is_refused(bench: Bench) -> None:
    remote = await bench.offer(bench.sku(1), 5)
    await bench.refuse_access()
    for error in await met_by(bench, Target(remote, 3, 5, "kit-1")):
        assert isinstance(error, AccessRefused), f"access is refused, and it meets {error!r}"
        assert str(error), "whoever is refused wants to know what to renew"


# What is read


@case()
async def reads_all_listings_over_all_pages(bench: Bench) -> None:
    offered = {bench.sku(number): number for number in range(7)}
    remotes = {await bench.offer(sku, quantity): sku for sku, quantity in offered.items()}
    found = await all_listings(bench)
    assert len({one.remote for one in found}) == len(found), "a listing was read twice"
    levels = {one.remote: one for one in found}
    for remote, sku in remotes.items():
        assert remote in levels, f"{sku} is not among the listings"
        assert (levels[remote].sku, levels[remote].quantity) == (sku, offered[sku])


@case(needs="barcode")
async def reads_barcodes(bench: Bench) -> None:
    remote = await bench.offer(bench.sku(1), 5, "4006381333931")
    found = {one.remote: one for one in await all_listings(bench)}
    assert found[remote].barcode == "4006381333931"


@case()
async def reads_some_and_leaves_out_what_is_missing(bench: Bench) -> None:
    remotes = [await bench.offer(bench.sku(number), number + 1) for number in range(min(2, bench.adapter.batch))]
    found: list[Listing] = []
    for batch in batches([*remotes, bench.missing], bench.adapter.batch):
        found += await bench.adapter.read(batch)
    assert {one.remote: one.quantity for one in found} == {one: at + 1 for at, one in enumerate(remotes)}


# Orders


@case()
async def polls_a_paid_order_with_its_lines(bench: Bench) -> None:
    remote, identifier = await sold(bench, paid=True)
    order = await polled(bench, identifier, lambda order: order.state == "paid")
    assert [(line.remote, line.quantity) for line in order.lines] == [(remote, 2)]
    assert order.placed_at.tzinfo is not None, "times have a zone"
    assert order.updated_at >= order.placed_at
    alone = await bench.adapter.order(identifier)
    assert alone is not None, "an order that was polled can be fetched alone"
    assert (alone.id, alone.state, list(alone.lines)) == (order.id, order.state, list(order.lines))


@case()
async def polls_only_what_changed_since(bench: Bench) -> None:
    _, identifier = await sold(bench, paid=True)
    await polled(bench, identifier, lambda _: True)
    assert identifier not in await orders_since(bench, datetime.now(UTC) + timedelta(days=1))


@case()
async def knows_no_order_that_there_is_not(bench: Bench) -> None:
    _, identifier = await sold(bench, paid=True)
    unknown = identifier[:-1] + ("1" if identifier[-1] != "1" else "2")
    found = await bench.adapter.order(unknown)
    assert found is None or found.id == unknown


@case(needs="unpaid")
async def tells_an_unpaid_order_from_a_paid_one(bench: Bench) -> None:
    _, identifier = await sold(bench, paid=False)
    await polled(bench, identifier, lambda order: order.state == "unpaid")
    await bench.pay(identifier)
    await polled(bench, identifier, lambda order: order.state == "paid")


@case(needs="edited")
async def sees_an_order_as_it_was_edited(bench: Bench) -> None:
    remote, identifier = await sold(bench, paid=True)
    before = await polled(bench, identifier, lambda order: order.state == "paid")
    await bench.edit(identifier, remote, 1)
    after = await polled(bench, identifier, lambda order: [one.quantity for one in order.lines] == [1])
    assert after.updated_at >= before.updated_at, "an edit makes it newer"


@case(needs="refunded")
async def leaves_out_what_was_refunded_and_put_back(bench: Bench) -> None:
    remote, identifier = await sold(bench, paid=True)
    await bench.refund(identifier, remote, 1)
    await polled(
        bench, identifier, lambda order: order.state == "paid" and [one.quantity for one in order.lines] == [1]
    )


@case()
async def polls_a_cancelled_order(bench: Bench) -> None:
    _, identifier = await sold(bench, paid=True)
    await bench.cancel(identifier)
    await polled(bench, identifier, lambda order: order.state == "cancelled")


# Notices


@case(needs="notices")
async def receives_a_notice_of_an_order(bench: Bench) -> None:
    identifier, notice = await noticed(bench)
    received = await bench.adapter.receive(notice)
    assert received.id, "a notice has an id, the same if it is sent again"
    assert identifier in told_of(received), f"the notice of {identifier} tells of {told_of(received)}"
    again = await bench.adapter.receive(notice)
    assert again.id == received.id, "the same notice has two ids"


@case(needs="notices")
async def tells_of_two_orders_of_one_moment(bench: Bench) -> None:
    """A notice whose id is known already is forgotten."""
    await bench.adapter.check(bench.notices_url)
    remote = await bench.offer(bench.sku(1), 5)
    sold = {await bench.sell(remote, 1) for _ in range(2)}
    told: dict[str, set[str]] = {}
    until_s = time.monotonic() + WITHIN_S
    while not sold <= set[str]().union(*told.values()):
        assert time.monotonic() < until_s, f"of the orders {sorted(sold)} notices tell, by their ids: {told}"
        for notice in await bench.notices():
            received = await bench.adapter.receive(notice)
            told.setdefault(received.id, told_of(received))
        await asyncio.sleep(LOOK_EVERY_S)


@case(needs="notices")
async def refuses_a_body_that_was_tampered_with(bench: Bench) -> None:
    _, notice = await noticed(bench)
    spoilt = Notice(notice.headers, notice.body.replace(b"1", b"2", 1) + b" ", notice.query)
    await await_refusal(bench, spoilt, "a body that was tampered with")


@case(needs="notices")
async def refuses_a_notice_without_a_signature(bench: Bench) -> None:
    _, notice = await noticed(bench)
    plain = {name: notice.headers[name] for name in ("content-type", "content-length") if name in notice.headers}
    await await_refusal(bench, Notice(plain, notice.body, notice.query), "one without a signature")


@case(needs="notices")
async def refuses_a_signature_by_another_key(bench: Bench) -> None:
    _, notice = await noticed(bench)
    spoilt = {
        name: value[::-1] if len(value) >= 20 and name != "user-agent" else value
        for name, value in notice.headers.items()
    }
    await await_refusal(bench, Notice(spoilt, notice.body, notice.query), "one signed by somebody else")


@case()
async def finds_nothing_wrong_where_nothing_is(bench: Bench) -> None:
    for _ in range(2):
        check = await bench.adapter.check(bench.notices_url)
        assert not check.findings, f"all is well, and it finds {list(check.findings)}"


@case(needs="notices")
async def subscribes_again_where_its_subscriptions_were_switched_off(bench: Bench) -> None:
    await bench.adapter.check(bench.notices_url)
    await bench.forget_subscriptions()
    await bench.adapter.check(bench.notices_url)
    identifier, notice = await noticed(bench)
    assert identifier in told_of(await bench.adapter.receive(notice))
