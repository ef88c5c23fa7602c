"""The cases: each a coroutine over a fresh Bench, which raises AssertionError in words.

@pytest.mark.parametrize("case", CASES)
async def test_conforms(case, bench): await run(case, bench)
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from followers.marketplaces.adapter import (
    Accepted,
    AccessRefused,
    Applied,
    Listing,
    Notice,
    NoticeRefused,
    Order,
    Outcome,
    Received,
    Refused,
    RemoteAway,
    Stale,
    Target,
    Throttled,
    Unknown,
)
from followers.marketplaces.conformance.bench import DOWNS, Bench
from followers.marketplaces.pushing.sending import send

WITHIN_S = 30.0
"""For what the channel applies, shows or sends later."""
LOOK_EVERY_S = 0.05
BATCH_TRIED_MAX = 250
PAGES_MAX = 10_000
CLOCKS_APART = timedelta(minutes=5)
"""Orders are asked for from so long ago: the channel's clock is not ours."""

T = TypeVar("T")
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
    await _pushed(bench, Target(remote, 3, 5, "kit-1"))
    await _stands(bench, remote, 3)


@case()
async def pushes_a_full_batch(bench: Bench) -> None:
    size = min(bench.adapter.batch, BATCH_TRIED_MAX)
    remotes = [await bench.offer(bench.sku(number), 1) for number in range(size)]
    targets = [Target(remote, number % 7 + 2, 1, f"kit-{number}") for number, remote in enumerate(remotes)]
    await _pushed(bench, *targets)
    for target in targets:
        await _stands(bench, target.remote, target.quantity)


@case()
async def pushes_a_zero(bench: Bench) -> None:
    remote = await bench.offer(bench.sku(1), 5)
    await _pushed(bench, Target(remote, 0, 5, "kit-1"))
    await _stands(bench, remote, 0)


@case()
async def cuts_a_poisoned_listing_out_of_its_batch(bench: Bench) -> None:
    good = [await bench.offer(bench.sku(number), 5) for number in range(min(3, bench.adapter.batch))]
    targets = [Target(remote, 2, 5, f"kit-{remote}") for remote in good]
    targets.insert(1, Target(bench.missing, 2, None, "kit-missing"))
    outcomes: dict[str, Outcome] = {}
    for batch in _batches(targets, bench.adapter.batch):
        outcomes |= zip((one.remote for one in batch), await send(bench.adapter, batch), strict=True)
    poisoned = outcomes.pop(bench.missing)
    assert isinstance(poisoned, Refused), f"a listing that does not exist there is {poisoned}, not refused"
    assert poisoned.reason, "a refusal says why, in the channel's words"
    again = [one for one in targets if isinstance(outcomes.get(one.remote), Throttled)]
    if again:  # nothing was done of the whole batch
        await _pushed(bench, *again)
    for remote, outcome in outcomes.items():
        assert not isinstance(outcome, Refused), f"a good listing beside a poisoned one is {outcome}"
        await _stands(bench, remote, 2)


@case()
async def does_no_harm_with_a_key_that_is_repeated(bench: Bench) -> None:
    remote = await bench.offer(bench.sku(1), 5)
    target = Target(remote, 3, 5, "kit-1")
    await _pushed(bench, target)
    (outcome,) = await bench.adapter.push([target])
    assert isinstance(outcome, Applied | Accepted | Stale), f"the same once more, under its key, is {outcome}"
    await _stands(bench, remote, 3)


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
    for met in await _met(bench):
        assert isinstance(met, RemoteAway), f"{manner}: it is away, and the answer was {met!r}"
        assert not isinstance(met, AccessRefused), f"{manner}: it is away, not our access refused: {met!r}"
        assert str(met), f"{manner}: an outage says what it is"
    await bench.down(None)
    await _pushed(bench, Target(remote, 2, await bench.quantity(remote), "kit-2"))
    await _stands(bench, remote, 2)


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
    await _pushed(bench, Target(remote, 3, 5, "kit-1"))
    await _stands(bench, remote, 3)


@case()
async def says_that_its_access_is_refused(bench: Bench) -> None:
    remote = await bench.offer(bench.sku(1), 5)
    await bench.refuse_access()
    for error in await _met(bench, Target(remote, 3, 5, "kit-1")):
        assert isinstance(error, AccessRefused), f"access is refused, and it meets {error!r}"
        assert str(error), "whoever is refused wants to know what to renew"


# What is read


@case()
async def reads_all_listings_over_all_pages(bench: Bench) -> None:
    offered = {bench.sku(number): number for number in range(7)}
    remotes = {await bench.offer(sku, quantity): sku for sku, quantity in offered.items()}
    found = await _all_listings(bench)
    assert len({one.remote for one in found}) == len(found), "a listing was read twice"
    levels = {one.remote: one for one in found}
    for remote, sku in remotes.items():
        assert remote in levels, f"{sku} is not among the listings"
        assert (levels[remote].sku, levels[remote].quantity) == (sku, offered[sku])


@case(needs="barcode")
async def reads_barcodes(bench: Bench) -> None:
    remote = await bench.offer(bench.sku(1), 5, "4006381333931")
    found = {one.remote: one for one in await _all_listings(bench)}
    assert found[remote].barcode == "4006381333931"


@case()
async def reads_some_and_leaves_out_what_is_missing(bench: Bench) -> None:
    remotes = [await bench.offer(bench.sku(number), number + 1) for number in range(min(2, bench.adapter.batch))]
    found: list[Listing] = []
    for batch in _batches([*remotes, bench.missing], bench.adapter.batch):
        found += await bench.adapter.read(batch)
    assert {one.remote: one.quantity for one in found} == {one: at + 1 for at, one in enumerate(remotes)}


# Orders


@case()
async def polls_a_paid_order_with_its_lines(bench: Bench) -> None:
    remote, identifier = await _sold(bench, paid=True)
    order = await _polled(bench, identifier, lambda order: order.state == "paid")
    assert [(line.remote, line.quantity) for line in order.lines] == [(remote, 2)]
    assert order.placed_at.tzinfo is not None, "times have a zone"
    assert order.updated_at >= order.placed_at
    alone = await bench.adapter.order(identifier)
    assert alone is not None, "an order that was polled can be fetched alone"
    assert (alone.id, alone.state, list(alone.lines)) == (order.id, order.state, list(order.lines))


@case()
async def polls_only_what_changed_since(bench: Bench) -> None:
    _, identifier = await _sold(bench, paid=True)
    await _polled(bench, identifier, lambda _: True)
    assert identifier not in await _orders(bench, datetime.now(UTC) + timedelta(days=1))


@case()
async def knows_no_order_that_there_is_not(bench: Bench) -> None:
    _, identifier = await _sold(bench, paid=True)
    unknown = identifier[:-1] + ("1" if identifier[-1] != "1" else "2")
    found = await bench.adapter.order(unknown)
    assert found is None or found.id == unknown


@case(needs="unpaid")
async def tells_an_unpaid_order_from_a_paid_one(bench: Bench) -> None:
    _, identifier = await _sold(bench, paid=False)
    await _polled(bench, identifier, lambda order: order.state == "unpaid")
    await bench.pay(identifier)
    await _polled(bench, identifier, lambda order: order.state == "paid")


@case(needs="edited")
async def sees_an_order_as_it_was_edited(bench: Bench) -> None:
    remote, identifier = await _sold(bench, paid=True)
    before = await _polled(bench, identifier, lambda order: order.state == "paid")
    await bench.edit(identifier, remote, 1)
    after = await _polled(bench, identifier, lambda order: [one.quantity for one in order.lines] == [1])
    assert after.updated_at >= before.updated_at, "an edit makes it newer"


@case(needs="refunded")
async def leaves_out_what_was_refunded_and_put_back(bench: Bench) -> None:
    remote, identifier = await _sold(bench, paid=True)
    await bench.refund(identifier, remote, 1)
    await _polled(
        bench, identifier, lambda order: order.state == "paid" and [one.quantity for one in order.lines] == [1]
    )


@case()
async def polls_a_cancelled_order(bench: Bench) -> None:
    _, identifier = await _sold(bench, paid=True)
    await bench.cancel(identifier)
    await _polled(bench, identifier, lambda order: order.state == "cancelled")


# Notices


@case(needs="notices")
async def receives_a_notice_of_an_order(bench: Bench) -> None:
    identifier, notice = await _noticed(bench)
    received = await bench.adapter.receive(notice)
    assert received.id, "a notice has an id, the same if it is sent again"
    assert identifier in _told_of(received), f"the notice of {identifier} tells of {_told_of(received)}"
    again = await bench.adapter.receive(notice)
    assert again.id == received.id, "the same notice has two ids"


@case(needs="notices")
async def refuses_a_body_that_was_tampered_with(bench: Bench) -> None:
    _, notice = await _noticed(bench)
    await _refused(bench, Notice(notice.headers, notice.body.replace(b"1", b"2", 1) + b" ", notice.query), "a body")


@case(needs="notices")
async def refuses_a_notice_without_a_signature(bench: Bench) -> None:
    _, notice = await _noticed(bench)
    plain = {name: notice.headers[name] for name in ("content-type", "content-length") if name in notice.headers}
    await _refused(bench, Notice(plain, notice.body, notice.query), "one without a signature")


@case(needs="notices")
async def refuses_a_signature_by_another_key(bench: Bench) -> None:
    _, notice = await _noticed(bench)
    spoilt = {
        name: value[::-1] if len(value) >= 20 and name != "user-agent" else value
        for name, value in notice.headers.items()
    }
    await _refused(bench, Notice(spoilt, notice.body, notice.query), "one signed by somebody else")


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
    identifier, notice = await _noticed(bench)
    assert identifier in _told_of(await bench.adapter.receive(notice))


# What the cases share


async def _met(bench: Bench, *targets: Target) -> list[object]:
    """What asking meets: errors, or the answers that came."""
    adapter = bench.adapter
    since = datetime.now(UTC)
    asked = [adapter.levels(None), adapter.orders(since, None), *([adapter.push(targets)] if targets else [])]
    return list(await asyncio.gather(*asked, return_exceptions=True))


def _batches(all_of_them: Sequence[T], most: int) -> list[Sequence[T]]:
    return [all_of_them[at : at + most] for at in range(0, len(all_of_them), most)]


async def _pushed(bench: Bench, *targets: Target) -> None:
    """Until each is applied, or taken for later; what was throttled is pushed again."""
    left = list(targets)
    until_s = time.monotonic() + WITHIN_S
    while left:
        again = []
        for batch in _batches(left, bench.adapter.batch):
            for target, outcome in zip(batch, await send(bench.adapter, batch), strict=True):
                if isinstance(outcome, Throttled):
                    again.append(target)
                else:
                    assert isinstance(outcome, Applied | Accepted), f"{target} is {outcome}"
        assert time.monotonic() < until_s, f"{len(again)} targets are throttled for {WITHIN_S:.0f} s"
        left = again
        await asyncio.sleep(LOOK_EVERY_S if left else 0)


async def _stands(bench: Bench, remote: str, quantity: int) -> None:
    """There, and as the adapter reads it; soon, where it is applied later."""
    until_s = time.monotonic() + WITHIN_S
    while (found := await bench.quantity(remote)) != quantity:
        assert time.monotonic() < until_s, f"{remote} offers {found}, not {quantity}"
        await asyncio.sleep(LOOK_EVERY_S)
    (read,) = await bench.adapter.read([remote])
    while read.quantity != quantity:
        assert time.monotonic() < until_s, f"{remote} is read as {read.quantity}, and offers {quantity}"
        await asyncio.sleep(LOOK_EVERY_S)
        (read,) = await bench.adapter.read([remote])


async def _all_listings(bench: Bench) -> list[Listing]:
    found: list[Listing] = []
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        page = await bench.adapter.levels(cursor)
        found += page.listings
        if (cursor := page.cursor) is None:
            return found
    raise AssertionError(f"there is no last page of listings, not even after {PAGES_MAX}")


async def _sold(bench: Bench, *, paid: bool) -> tuple[str, str]:
    """Listing and order: 2 units of 5."""
    remote = await bench.offer(bench.sku(1), 5)
    return remote, await bench.sell(remote, 2, paid=paid)


async def _orders(bench: Bench, since: datetime) -> dict[str, Order]:
    """The newest of each."""
    found: dict[str, Order] = {}
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        page = await bench.adapter.orders(since, cursor)
        found |= {order.id: order for order in page.orders}
        if (cursor := page.cursor) is None:
            return found
    raise AssertionError(f"there is no last page of orders, not even after {PAGES_MAX}")


async def _polled(bench: Bench, identifier: str, is_as_wanted: Callable[[Order], bool]) -> Order:
    """Soon: some channels find an order a little later."""
    until_s = time.monotonic() + WITHIN_S
    while True:
        order = (await _orders(bench, datetime.now(UTC) - CLOCKS_APART)).get(identifier)
        if order is not None and is_as_wanted(order):
            return order
        assert time.monotonic() < until_s, f"the order {identifier} is polled as {order}"
        await asyncio.sleep(LOOK_EVERY_S)


async def _noticed(bench: Bench) -> tuple[str, Notice]:
    """A new order, and the first notice that tells of it."""
    check = await bench.adapter.check(bench.notices_url)
    assert not check.findings, f"nothing is wrong, and it finds {list(check.findings)}"
    _, identifier = await _sold(bench, paid=True)
    until_s = time.monotonic() + WITHIN_S
    while time.monotonic() < until_s:
        for notice in await bench.notices():
            if identifier in _told_of(await bench.adapter.receive(notice)):
                return identifier, notice
        await asyncio.sleep(LOOK_EVERY_S)
    raise AssertionError(f"no notice tells of the order {identifier}")


def _told_of(received: Received) -> set[str]:
    return {order.id for order in received.orders} | set(received.changed_orders)


async def _refused(bench: Bench, notice: Notice, what: str) -> None:
    try:
        received = await bench.adapter.receive(notice)
    except NoticeRefused:
        return
    raise AssertionError(f"{what} was taken: {received}")
