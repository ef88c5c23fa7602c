"""What is eBay's own: item and offer at once, a budget of revisions, keys that are kept, and what check finds."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from followers.marketplaces.conformance.bench import remote_of
from followers.marketplaces.ebay.adapter import Ebay
from followers.marketplaces.ebay.api import INVENTORY, Api
from followers.marketplaces.ebay.revisions import A_DAY, AT_ONCE, FOR_ZEROS
from followers.marketplaces.ebay.signature import verification_token
from followers.marketplaces.ebay.subscribing import Subscribing
from followers.marketplaces.errors import AccessRefused, NoticeRefused, RemoteAway, SettingRefused
from followers.marketplaces.terms import Applied, Notice, Refused, Target, Throttled, Unknown
from tests.channels.ebay.asking import APPLICATION, ITEMS, ORDERS
from tests.channels.ebay.signing import SigningKey
from tests.channels.ebay.tokens import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from tests.channels.shared.starting import Market, market
from tests.followers.marketplaces.ebay.bench import CREDENTIALS, EbayBench, ebay_bench
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.asyncio(loop_scope="module")]
KEYS = "GET /commerce/notification/v1/public_key/{id}"
BULK = f"POST {ITEMS}/bulk_update_price_quantity"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ebay(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Market]:
    async with market("ebay", tmp_path_factory.mktemp("ebay")) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def bench(ebay: Market) -> AsyncIterator[EbayBench]:
    async with ebay_bench(ebay) as made:
        yield made
        await made.reset()


def target(remote: str, quantity: int) -> Target:
    return Target(remote, quantity, None, f"key-{remote}-{quantity}")


async def test_one_call_sets_item_and_offer_of_a_whole_batch(bench: EbayBench) -> None:
    remotes = [await bench.offer(bench.sku(number), 9) for number in range(25)]
    before = (await bench.market.counts())["requests"].get(BULK, 0)
    outcomes = await bench.adapter.push([target(one, at) for at, one in enumerate(remotes)])
    assert outcomes == [Applied()] * 25
    assert (await bench.market.counts())["requests"][BULK] == before + 1
    async with httpx.AsyncClient(base_url=bench.market.url, headers=await bench.bearer()) as http:
        item = (await http.get(f"{ITEMS}/inventory_item/{remotes[7]}")).json()
        offer = (await http.get(f"{ITEMS}/offer?sku={remotes[7]}")).json()["offers"][0]
    assert item["availability"]["shipToLocationAvailability"]["quantity"] == offer["availableQuantity"] == 7


async def test_of_many_changes_of_a_listing_the_last_are_kept_for_zeros(bench: EbayBench) -> None:
    remote, other = await bench.offer(bench.sku(1), 9), await bench.offer(bench.sku(2), 9)
    spent = replace(target(remote, 4), sent_today=A_DAY - FOR_ZEROS, day_left_s=600.0)
    throttled, applied = await bench.adapter.push([spent, target(other, 4)])
    assert throttled == Throttled(600.0, alone=True)
    assert applied == Applied(), "another listing has its own budget"
    assert await bench.adapter.push([replace(spent, quantity=0)]) == [Applied()]
    assert await bench.quantity(remote) == 0


async def test_revisions_that_somebody_else_used_up_are_refused_in_ebays_words(bench: EbayBench) -> None:
    remote = await bench.offer(bench.sku(1), 9)
    node = {"requests": [{"sku": remote, "shipToLocationAvailability": {"quantity": 8}}]}
    async with httpx.AsyncClient(base_url=bench.market.url, headers=await bench.bearer()) as http:
        for _ in range(250):
            await http.post(f"{ITEMS}/bulk_update_price_quantity", json=node)
    many_of_ours = replace(target(remote, 3), sent_today=AT_ONCE, day_left_s=300.0)
    assert await bench.adapter.push([replace(many_of_ours, quantity=0)]) == [Throttled(300.0, alone=True)]
    (outcome,) = await bench.adapter.push([target(remote, 3)])
    assert isinstance(outcome, Refused)
    assert "revised 250 times today" in outcome.reason
    assert "25019" in outcome.reason


async def test_a_listing_that_was_made_anew_is_read_back_and_then_set(bench: EbayBench) -> None:
    remote = await bench.offer(bench.sku(1), 9)
    assert await bench.adapter.push([target(remote, 5)]) == [Applied()]
    await bench.offer(bench.sku(1), 9)
    (outcome,) = await bench.adapter.push([target(remote, 4)])
    assert isinstance(outcome, Unknown), "its offer has another id now"
    assert await bench.adapter.push([target(remote, 4)]) == [Applied()]
    assert await bench.quantity(remote) == 4


async def test_what_is_for_sale_is_the_smaller_of_item_and_offer(bench: EbayBench) -> None:
    remote = bench.sku(1)
    await bench.market.offer(remote, 9, offer_quantity=4)
    (found,) = await bench.adapter.read([remote])
    assert found.quantity == 4


async def test_a_dry_run_shows_the_body_and_sends_none(bench: EbayBench) -> None:
    remote = await bench.offer(bench.sku(1), 9)
    bench.remote._dry = True
    with pytest.raises(RemoteAway, match="dry run"):
        await bench.adapter.push([target(remote, 2)])
    (unsent,) = bench.remote.unsent
    (node,) = json.loads(unsent.body)["requests"]
    assert (node["sku"], node["offers"][0]["availableQuantity"]) == (remote, 2)
    assert await bench.quantity(remote) == 9


async def test_no_order_is_missed_between_two_pages(bench: EbayBench) -> None:
    remote, since = await bench.offer(bench.sku(1), 300), datetime.now(UTC) - timedelta(minutes=1)
    sold = await asyncio.gather(*(bench.sell(remote, 1) for _ in range(205)))
    first = await bench.adapter.orders(since, None)
    assert first.cursor is not None
    second = await bench.adapter.orders(since, first.cursor)
    assert set(sold) <= {one.id for page in (first, second) for one in page.orders}
    assert second.complete_until == first.complete_until
    assert first.complete_until is not None
    assert first.complete_until < datetime.now(UTC) - timedelta(minutes=1, seconds=59)


async def noticed(bench: EbayBench) -> Notice:
    await bench.adapter.check(bench.notices_url)
    await bench.sell(await bench.offer(bench.sku(1), 9), 1)
    return next(iter(await bench.notices()))


async def test_a_key_is_asked_for_once(bench: EbayBench) -> None:
    notice = await noticed(bench)
    before = (await bench.market.counts())["requests"].get(KEYS, 0)
    for _ in range(5):
        await bench.adapter.receive(notice)
    assert (await bench.market.counts())["requests"].get(KEYS, 0) <= before + 1


async def test_whoever_makes_up_keys_uses_up_no_calls_and_keeps_out_no_notice(bench: EbayBench) -> None:
    notice = await noticed(bench)
    await bench.adapter.receive(notice)
    before = (await bench.market.counts())["requests"][KEYS]
    met = []
    for _ in range(30):
        made_up = Notice({"x-ebay-signature": SigningKey().header(b"{}")}, b"{}")
        try:
            await bench.adapter.receive(made_up)
        except (NoticeRefused, RemoteAway) as error:
            met.append(type(error))
    assert len(met) == 30
    assert set(met) == {NoticeRefused, RemoteAway}
    assert (await bench.market.counts())["requests"][KEYS] <= before + 12
    assert (await bench.adapter.receive(notice)).changed_orders


async def test_any_process_answers_the_challenge_that_knows_the_address(bench: EbayBench) -> None:
    assert bench.notices_url is not None
    query = {"challenge_code": "a8628072"}
    await bench.adapter.check(bench.notices_url)
    here = await bench.adapter.receive(Notice({}, b"", query))
    async with remote_of(Ebay.quotas) as remote:
        settings = {"client_id": CLIENT_ID, "notices_url": bench.notices_url}
        elsewhere = await Ebay(settings, CREDENTIALS, remote).receive(Notice({}, b"", query))
        with pytest.raises(NoticeRefused, match="notices_url"):
            await Ebay({"client_id": CLIENT_ID}, CREDENTIALS, remote).receive(Notice({}, b"", query))
    assert here.answer == elsewhere.answer
    assert here.answer_type == "application/json"


async def test_check_names_what_ebay_refuses_or_has_little_of_and_the_fix(tmp_path: Path) -> None:
    """A day of this server has 142 calls for orders."""
    async with market("ebay", tmp_path, "--fewer", "700") as started, ebay_bench(started) as bench:
        settings = {"client_id": CLIENT_ID, "api_url": started.url}
        without_email = Ebay(settings, CREDENTIALS, bench.remote)
        (finding,) = (await without_email.check("https://shop.example/notices")).findings
        assert "set alert_email" in finding
        (finding,) = (await bench.adapter.check("http://127.0.0.1:9/notices")).findings
        assert "Challenge verification failed" in finding
        assert "https" in finding
        async with httpx.AsyncClient(base_url=started.url, headers=await bench.bearer()) as http:
            for _ in range(140):
                await http.get(f"{ORDERS}/order")
        (finding,) = (await bench.adapter.check(None)).findings
        assert "leaves 2 of 142 calls (orders)" in finding
        assert bench.remote.buckets["orders"].tokens < 3


async def test_a_token_without_the_scope_for_stock_stops_the_channel_and_says_which_error(bench: EbayBench) -> None:
    application = (await bench.bearer(APPLICATION))["Authorization"].removeprefix("Bearer ")
    bench.remote.keep("user", application, 3600)
    with pytest.raises(AccessRefused, match="Insufficient permissions"):
        await bench.adapter.levels(None)


async def test_a_topic_that_the_token_does_not_allow_is_a_finding_that_names_scopes(bench: EbayBench) -> None:
    assert bench.notices_url is not None
    await bench.adapter.check(bench.notices_url)
    api = Api(bench.remote, bench.market.url, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN)
    subscribing = Subscribing(api, "us@example.com", verification_token(CLIENT_SECRET))
    (finding,) = await subscribing.make(bench.notices_url, "ITEM_MARKED_SHIPPED")
    assert "Not authorized for this topic" in finding
    assert "commerce.notification.subscription" in finding


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("api_url", "api.ebay.com", "https://api.ebay.com"),
        ("orders_late_s", "soon", "0 to 3600"),
        ("orders_late_s", "nan", "0 to 3600"),
        ("orders_late_s", "-1", "0 to 3600"),
    ],
)
async def test_a_setting_that_cannot_work_is_named_with_its_fix(
    bench: EbayBench, name: str, value: str, fix: str
) -> None:
    with pytest.raises(SettingRefused, match=fix) as refused:
        Ebay({"client_id": CLIENT_ID, name: value}, CREDENTIALS, bench.remote)
    assert refused.value.name == name


async def test_a_push_finds_its_offers_while_a_read_of_all_listings_waits_for_the_quota(bench: EbayBench) -> None:
    remotes = [await bench.offer(bench.sku(number), 9) for number in range(12)]
    await bench.adapter.read(remotes[:1])
    page = f"GET {ITEMS}/inventory_item"
    before = (await bench.market.counts())["requests"].get(page, 0)
    bucket = bench.remote.buckets[INVENTORY]
    bucket.fed(10_001, per_s=0.001)  # of 20,000: there is room for the page, and not for its offers

    async def page_is_read() -> bool:
        return bool((await bench.market.counts())["requests"].get(page, 0) > before)

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(bench.adapter.levels(None))
        await wait_until(page_is_read)
        assert await bench.adapter.push([target(remotes[0], 4)]) == [Applied()]
        assert bucket.tokens > 9_995, "it waited until they went before it"
        reading.cancel()
