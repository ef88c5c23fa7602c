"""What the cases have in common: pushed until it stands, polled until it is seen, with a deadline each."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from followers.marketplaces.adapter import (
    Accepted,
    Applied,
    Listing,
    Notice,
    NoticeRefused,
    Order,
    Received,
    Target,
    Throttled,
)
from followers.marketplaces.conformance.bench import Bench
from followers.marketplaces.pushing.sending import send

WITHIN_S = 30.0
"""For what the channel applies, shows or sends later."""
LOOK_EVERY_S = 0.05
PAGES_MAX = 10_000
LOOKED_AT_MAX = 10
"""Of many listings, one by one: the others are read together."""
CLOCKS_APART = timedelta(minutes=5)
"""Orders are asked for from so long ago: the channel's clock is not ours."""

T = TypeVar("T")


async def met_by(bench: Bench, *targets: Target) -> list[object]:
    """What asking meets: errors, or the answers that came."""
    adapter = bench.adapter
    since = datetime.now(UTC)
    asked = [adapter.levels(None), adapter.orders(since, None), *([adapter.push(targets)] if targets else [])]
    return list(await asyncio.gather(*asked, return_exceptions=True))


def batches(all_of_them: Sequence[T], most: int) -> list[Sequence[T]]:
    return [all_of_them[at : at + most] for at in range(0, len(all_of_them), most)]


async def push_all(bench: Bench, *targets: Target) -> None:
    """Until each is applied, or taken for later; what was throttled is pushed again."""
    left = list(targets)
    until_s = time.monotonic() + WITHIN_S
    while left:
        again = []
        for batch in batches(left, bench.adapter.batch):
            for target, outcome in zip(batch, await send(bench.adapter, batch), strict=True):
                if isinstance(outcome, Throttled):
                    again.append(target)
                else:
                    assert isinstance(outcome, Applied | Accepted), f"{target} is {outcome}"
        assert time.monotonic() < until_s, f"{len(again)} targets are throttled for {WITHIN_S:.0f} s"
        left = again
        await asyncio.sleep(LOOK_EVERY_S if left else 0)


async def await_quantity(bench: Bench, remote: str, quantity: int) -> None:
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


async def await_quantities(bench: Bench, quantities: Mapping[str, int]) -> None:
    """As ``await_quantity``, for many: all as the adapter reads them, and a few in truth."""
    until_s = time.monotonic() + WITHIN_S
    while (found := await _read_all(bench, list(quantities))) != quantities:
        differing = {one: units for one, units in found.items() if units != quantities[one]}
        assert time.monotonic() < until_s, f"{len(quantities) - len(found)} are missing, and {differing} are others"
        await asyncio.sleep(LOOK_EVERY_S)
    for remote in list(quantities)[:: len(quantities) // LOOKED_AT_MAX + 1]:
        await await_quantity(bench, remote, quantities[remote])


async def _read_all(bench: Bench, remotes: Sequence[str]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for batch in batches(remotes, bench.adapter.batch):
        found |= {one.remote: one.quantity for one in await bench.adapter.read(batch)}
    return found


async def all_listings(bench: Bench) -> list[Listing]:
    found: list[Listing] = []
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        page = await bench.adapter.levels(cursor)
        found += page.listings
        if (cursor := page.cursor) is None:
            return found
    raise AssertionError(f"there is no last page of listings, not even after {PAGES_MAX}")


async def sold(bench: Bench, *, paid: bool) -> tuple[str, str]:
    """Listing and order: 2 units of 5."""
    remote = await bench.offer(bench.sku(1), 5)
    return remote, await bench.sell(remote, 2, paid=paid)


async def orders_since(bench: Bench, since: datetime) -> dict[str, Order]:
    """The newest of each."""
    found: dict[str, Order] = {}
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        page = await bench.adapter.orders(since, cursor)
        found |= {order.id: order for order in page.orders}
        if (cursor := page.cursor) is None:
            return found
    raise AssertionError(f"there is no last page of orders, not even after {PAGES_MAX}")


async def polled(bench: Bench, identifier: str, is_as_wanted: Callable[[Order], bool]) -> Order:
    """Soon: some channels find an order a little later."""
    until_s = time.monotonic() + WITHIN_S
    while True:
        order = (await orders_since(bench, datetime.now(UTC) - CLOCKS_APART)).get(identifier)
        if order is not None and is_as_wanted(order):
            return order
        assert time.monotonic() < until_s, f"the order {identifier} is polled as {order}"
        await asyncio.sleep(LOOK_EVERY_S)


async def noticed(bench: Bench) -> tuple[str, Notice]:
    """A new order, and the first notice that tells of it."""
    check = await bench.adapter.check(bench.notices_url)
    assert not check.findings, f"nothing is wrong, and it finds {list(check.findings)}"
    _, identifier = await sold(bench, paid=True)
    until_s = time.monotonic() + WITHIN_S
    while time.monotonic() < until_s:
        for notice in await bench.notices():
            if identifier in told_of(await bench.adapter.receive(notice)):
                return identifier, notice
        await asyncio.sleep(LOOK_EVERY_S)
    raise AssertionError(f"no notice tells of the order {identifier}")


def told_of(received: Received) -> set[str]:
    return {order.id for order in received.orders} | set(received.changed_orders)


async def await_refusal(bench: Bench, notice: Notice, what: str) -> None:
    try:
        received = await bench.adapter.receive(notice)
    except NoticeRefused:
        return
    raise AssertionError(f"{what} was taken: {received}")
