"""The adapter of Shopify against its strict server: the kit, and what is Shopify's own."""

import itertools
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from followers.marketplaces.adapter import (
    AccessRefused,
    Applied,
    Listing,
    Refused,
    Remote,
    Stale,
    Target,
    Throttled,
    Unknown,
)
from followers.marketplaces.conformance.bench import TIMEOUT_S, remote_of
from followers.marketplaces.conformance.cases import CASES, LeftOut, run
from followers.marketplaces.shopify import documents
from followers.marketplaces.shopify.adapter import Shopify
from followers.marketplaces.shopify.admin_api import POINTS
from tests.channels.shared.starting import Market, market
from tests.channels.shopify.access import CLIENT_ID, CLIENT_SECRET
from tests.channels.shopify.app import PATH
from tests.channels.shopify.shop import MAIN
from tests.followers.marketplaces.controlled import ControlledBench
from tests.followers.marketplaces.inbox import Inbox
from tests.harness.node_peers import need_node_peer
from tests.harness.servers import free_port
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.asyncio(loop_scope="module")]
numbers = itertools.count(1)


class ShopifyBench(ControlledBench):
    missing = "999999999999"

    def new_id(self) -> str:
        return str(next(numbers))

    async def throttle(self) -> None:
        await self.market.faults(throttled=True)

    async def expire_token(self) -> None:
        """Shopify forgets all tokens when it is asked while the app is not installed."""
        await self.market.faults(token_revoked=True)
        async with httpx.AsyncClient() as client:
            assert (await client.post(self.market.url + PATH, json={})).status_code == 401
        await self.market.faults()

    async def refuse_access(self) -> None:
        await self.market.faults(token_revoked=True)

    async def forget_subscriptions(self) -> None:
        await self.market.unsubscribe()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(processes: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Market]:
    need_node_peer("shopify")
    async with market("shopify", tmp_path_factory.mktemp("shopify"), "--pace", "20") as shop:
        yield shop


@pytest_asyncio.fixture(loop_scope="module")
async def bench(shop: Market, request: pytest.FixtureRequest) -> AsyncIterator[ShopifyBench]:
    """Only where the shop says nothing it is given up soon: this machine may stand still."""
    silent = any(word in request.node.name for word in ("hangs", "half open"))
    async with Inbox() as inbox, remote_of(Shopify.quotas, timeout_s=TIMEOUT_S if silent else PATIENCE_S) as remote:
        bench = ShopifyBench(adapter_of(shop, remote), shop, inbox)
        await bench.reset()
        await shop.unsubscribe()
        yield bench
        await bench.reset()


def adapter_of(shop: Market, remote: Remote) -> Shopify:
    settings = {"shop": shop.url, "location": MAIN, "client_id": CLIENT_ID}
    return Shopify(settings, {"secret": CLIENT_SECRET}, remote)


@pytest.mark.parametrize("case", CASES)
async def test_conforms(case: str, bench: ShopifyBench) -> None:
    try:
        await run(case, bench)
    except LeftOut as reason:
        pytest.skip(str(reason))


async def test_what_is_not_known_is_read_and_not_overwritten(bench: ShopifyBench) -> None:
    remote = await bench.offer("MUG", 5)
    outcomes = await bench.adapter.push([Target(remote, 9, None, "a"), Target(bench.missing, 9, None, "b")])
    assert isinstance(outcomes[0], Stale)
    assert isinstance(outcomes[1], Refused)
    assert await bench.adapter.push([Target(remote, 0, None, "c")]) == [Applied()], "a zero sells nothing twice"


async def test_the_rest_of_a_call_goes_on_at_once_without_what_is_stale(bench: ShopifyBench) -> None:
    remotes = [await bench.offer(f"MUG-{number}", 5) for number in range(20)]
    for remote in remotes[:5]:
        await bench.sell(remote, 1)
    sets = (await bench.market.counts())["requests"].get("inventorySetQuantities", 0)
    outcomes = await bench.adapter.push([Target(remote, 7, 5, f"k-{remote}") for remote in remotes])
    assert outcomes == [Stale()] * 5 + [Applied()] * 15
    assert (await bench.market.counts())["requests"]["inventorySetQuantities"] == sets + 2
    levels = (await bench.market.truth())["levels"]
    assert [levels[remote] for remote in remotes] == [4] * 5 + [7] * 15


async def test_a_call_that_is_repeated_sells_nothing_twice(bench: ShopifyBench) -> None:
    """Its answer was lost, and meanwhile somebody bought: the same key takes nothing back."""
    remote = await bench.offer("MUG", 5)
    target = Target(remote, 8, 5, f"once-{remote}")
    assert await bench.adapter.push([target]) == [Applied()]
    await bench.sell(remote, 3)
    assert await bench.adapter.push([target]) == [Applied()]
    assert await bench.quantity(remote) == 5


async def test_no_query_costs_more_than_it_is_counted_for(bench: ShopifyBench) -> None:
    """What the bucket here counts is what Shopify takes before it answers."""
    remote = await bench.offer("MUG", 5)
    order = await bench.sell(remote, 1)
    gid = f"gid://shopify/Location/{MAIN}"
    asked = [
        (documents.LEVELS, {"location": gid}),
        (documents.READ, {"location": gid, "ids": [f"gid://shopify/InventoryItem/{remote}"]}),
        (documents.ORDERS, {"query": "updated_at:>='2026-01-01T00:00:00Z'"}),
        (documents.ORDER, {"id": f"gid://shopify/Order/{order}"}),
        (documents.MORE_LINES, {"id": f"gid://shopify/Order/{order}", "after": "WzBd"}),
        (documents.CHECK, {"location": gid, "uri": None}),
    ]
    token = {"x-shopify-access-token": "shpat_of_an_app_that_was_made_in_the_admin"}
    async with httpx.AsyncClient(headers=token) as client:
        for document, variables in asked:
            query = {"query": document.text, "variables": variables}
            answer = (await client.post(bench.market.url + PATH, json=query)).json()
            assert answer["extensions"]["cost"]["requestedQueryCost"] == document.cost, document.text


async def test_a_bucket_that_is_spent_says_when_it_has_points_again(bench: ShopifyBench) -> None:
    remote = await bench.offer("MUG", 5)
    await bench.throttle()
    (outcome,) = await bench.adapter.push([Target(remote, 7, 5, "a")])
    assert isinstance(outcome, Throttled)
    assert outcome.after_s < 60 * POINTS.burst / POINTS.per_s


async def test_refunds_that_are_not_put_back_stay_sold(bench: ShopifyBench) -> None:
    remote = await bench.offer("MUG", 5)
    order = await bench.sell(remote, 3)
    await bench.market.change("refund", order, {remote: 1}, restock=False)
    await bench.market.change("refund", order, {remote: 1}, restock=True)
    found = await bench.adapter.order(order)
    assert found is not None
    assert [(line.remote, line.quantity) for line in found.lines] == [(remote, 2)]


async def test_levels_of_other_locations_are_nothing_to_this_channel(bench: ShopifyBench) -> None:
    await bench.adapter.check(bench.notices_url)
    item = bench.new_id()
    await bench.market.offer(f"{item}@7", 5)
    here = await bench.offer("MUG", 5)
    await bench.set(here, 4)
    told: list[Listing] = []
    while not told:
        told = [level for one in await bench.notices() for level in (await bench.adapter.receive(one)).levels]
    assert {level.remote for level in told} == {here}
    check = await bench.adapter.check(bench.notices_url)
    assert [finding[:38] for finding in check.findings] == ["The shop has more than one location, a"]


async def test_an_item_that_is_not_stocked_here_is_not_taken_for_set(bench: ShopifyBench) -> None:
    """Shopify answers without an error, and without having changed anything."""
    item = bench.new_id()
    await bench.market.offer(f"{item}@7", 5)
    (outcome,) = await bench.adapter.push([Target(item, 7, 5, "a")])
    assert isinstance(outcome, Unknown)


async def test_an_order_of_more_lines_than_a_page_holds_is_read_whole(bench: ShopifyBench) -> None:
    there = [one for one, units in (await bench.market.truth())["levels"].items() if units and "@" not in one]
    while len(there) <= documents.BATCH:
        there.append(await bench.offer("MUG", 1))
    order = await bench.market.sell_lines(dict.fromkeys(there[: documents.BATCH + 1], 1))
    found = await bench.adapter.order(order)
    assert found is not None
    assert {line.remote for line in found.lines} == set(there[: documents.BATCH + 1])


async def test_subscriptions_that_shopify_gave_up_are_made_again(bench: ShopifyBench) -> None:
    """Nobody listens there: 8 notices fail, one after the other."""
    nowhere = f"http://127.0.0.1:{free_port()}/notices"
    await bench.adapter.check(nowhere)
    remote = await bench.offer("MUG", 1)
    before = (await bench.market.counts())["notices"].get("ended", 0)
    for quantity in range(8):
        await bench.set(remote, quantity)

    async def gave_up() -> bool:
        return bool((await bench.market.counts())["notices"].get("ended", 0) > before)

    await wait_until(gave_up)
    made = (await bench.market.counts())["requests"]["webhookSubscriptionCreate"]
    await bench.adapter.check(nowhere)
    assert (await bench.market.counts())["requests"]["webhookSubscriptionCreate"] == made + 1


async def test_a_secret_that_is_wrong_is_an_access_refused(shop: Market) -> None:
    async with remote_of(Shopify.quotas) as remote:
        settings = {"shop": shop.url, "location": MAIN, "client_id": CLIENT_ID}
        wrong = Shopify(settings, {"secret": "guessed"}, remote)
        with pytest.raises(AccessRefused, match="client_id and secret"):
            await wrong.levels(None)
