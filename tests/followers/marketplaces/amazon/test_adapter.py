"""What the kit cannot ask of every vendor: Amazon's own traps, each on our strict Amazon."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from aiohttp import web

from followers.marketplaces.adapter import (
    Accepted,
    AccessRefused,
    Check,
    Refused,
    RemoteAway,
    SettingRefused,
    Target,
    Throttled,
    Unknown,
)
from followers.marketplaces.amazon.adapter import Amazon
from followers.marketplaces.conformance.bench import remote_of
from tests.channels.amazon.catalogue import MARKETPLACE, SELLER
from tests.channels.shared.starting import Market, market
from tests.followers.marketplaces.amazon.bench import CREDENTIALS, QUICK, adapter_of
from tests.harness.servers import free_port
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def amazon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Market]:
    async with market("amazon", tmp_path_factory.mktemp("amazon"), "--pace", str(QUICK)) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def adapter(amazon: Market) -> AsyncIterator[Amazon]:
    async with remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as remote:
        yield adapter_of(amazon, remote)


async def test_a_sku_with_a_comma_is_asked_for_by_itself(amazon: Market, adapter: Amazon) -> None:
    for sku, quantity in (("cup, red", 3), ("cup", 4), ("a/b c#d", 5)):
        await amazon.offer(sku, quantity)
    found = {one.remote: one.quantity for one in await adapter.read(["cup, red", "cup", "a/b c#d", "none, at all"])}
    assert found == {"cup, red": 3, "cup": 4, "a/b c#d": 5}
    targets = [Target("cup, red", 1, 3, "k1"), Target("a/b c#d", 2, 5, "k2")]
    assert await adapter.push(targets) == [Accepted(0), Accepted(0)]
    assert set((await amazon.counts())["broken"]) <= {"sku.unknown"}


async def test_what_amazon_fulfils_has_no_count(amazon: Market, adapter: Amazon) -> None:
    await amazon.offer("theirs", 0, channel="AMAZON_NA")
    assert [one.quantity for one in await adapter.read(["theirs"])] == [None]


async def test_a_listing_that_is_not_there_is_refused_and_not_made(amazon: Market, adapter: Amazon) -> None:
    await amazon.offer("lacks", 2, refuses="'brand' is required but missing")
    before = (await amazon.counts())["requests"].get("patchListingsItem", 0)
    missing, lacking = await adapter.push([Target("ghost", 2, None, "k1"), Target("lacks", 1, 2, "k2")])
    assert missing == Refused("there is no listing with the sku ghost")
    assert isinstance(lacking, Refused)
    assert "'brand' is required but missing" in lacking.reason
    counts = await amazon.counts()
    assert counts["requests"]["patchListingsItem"] == before + 1
    assert "patch.unknown" not in counts["broken"]


async def test_a_sku_that_meets_a_403_stops_no_other_and_alone_it_is_access_that_is_refused(
    amazon: Market, adapter: Amazon
) -> None:
    await amazon.offer("odd", 2, forbidden=True)
    await amazon.offer("even", 2)
    odd, even = await adapter.push([Target("odd", 1, 2, "k1"), Target("even", 1, 2, "k2")])
    assert isinstance(odd, Refused)
    assert even == Accepted(0)
    with pytest.raises(AccessRefused):
        await adapter.push([Target("odd", 1, 2, "k3")])


async def test_a_poll_says_up_to_when_it_is_complete(amazon: Market, adapter: Amazon) -> None:
    await amazon.offer("sold", 9)
    since = datetime.now(UTC) - timedelta(minutes=1)
    order = await amazon.sell("sold", 2)

    async def found() -> bool:
        page = await adapter.orders(since, None)
        assert page.complete_until is not None
        assert page.complete_until <= datetime.now(UTC)
        return order in {one.id for one in page.orders}

    await wait_until(found)
    one = await adapter.order(order)
    assert one is not None
    assert one.updated_at.microsecond == 999_999, "of a whole second it is the end"


async def test_a_quota_that_another_spent_is_throttled_and_nothing_of_it_was_done(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with (
        market("amazon", tmp_path_factory.mktemp("slow"), "--pace", "0.001") as slow,
        remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as first,
        remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as second,
    ):
        for sku in ("mug", "cap"):
            await slow.offer(sku, 9)
        spends = adapter_of(slow, first)
        for number in range(4):
            assert await spends.push([Target("mug", number + 1, 9, "k")]) == [Accepted(0)]
        other = adapter_of(slow, second)
        outcomes = [(await other.push([Target("cap", 0, 9, f"k{number}")]))[0] for number in range(2)]
        assert outcomes[0] == Accepted(0)
        assert isinstance(outcomes[1], Throttled)
        assert outcomes[1].after_s > 1
        assert (await slow.counts())["throttled"] == 2, "of the search as well: what has to go, goes without"
        requests = (await slow.counts())["requests"]["patchListingsItem"]
        assert isinstance((await other.push([Target("mug", 0, 4, "k9")]))[0], Throttled)
        assert (await slow.counts())["requests"]["patchListingsItem"] == requests, "it is known by now"


async def test_what_is_set_up_wrongly_is_said_with_its_fix(amazon: Market) -> None:
    async with remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as remote:
        settings = {"seller": SELLER, "marketplace": "A1F83G8C2ARO7P", "endpoint": amazon.url}
        elsewhere = Amazon({**settings, "login": f"{amazon.url}/auth/o2/token"}, CREDENTIALS, remote)
        (finding,) = (await elsewhere.check(None)).findings
        assert "look at `seller` and `marketplace`" in finding
        arn = "arn:aws:sqs:us-east-1:123456789012:orders"
        away = adapter_of(amazon, remote, f"http://127.0.0.1:{free_port()}", arn)
        (finding,) = (await away.check(None)).findings
        assert f"let the AWS user receive from {arn}" in finding


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("queue", {"queue": "https://sqs.us-east-1.amazonaws.com/123456789012/orders"}),
        ("aws_access_key_id", {"queue": "arn:aws:sqs:us-east-1:123456789012:orders"}),
        ("read_after_s", {"read_after_s": "soon"}),
        ("read_after_s", {"read_after_s": "-1"}),
        ("read_after_s", {"read_after_s": "nan"}),
        ("feeds_from", {"feeds_from": "-1"}),
        ("feeds_from", {"feeds_from": "25001"}),
    ],
)
async def test_a_setting_that_cannot_work_is_refused_by_its_name(name: str, changed: dict[str, str]) -> None:
    async with remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as remote:
        with pytest.raises(SettingRefused) as refused:
            Amazon({"seller": SELLER, "marketplace": MARKETPLACE, **changed}, CREDENTIALS, remote)
    assert refused.value.name == name


class Odd:
    """Answers each request with the same, of which nothing can be made."""

    def __init__(self, told: object) -> None:
        self._told = told

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_post("/auth/o2/token", self._login)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _login(self, _: web.Request) -> web.Response:
        return web.json_response({"access_token": "Atza|1", "expires_in": 3600})

    async def _answer(self, _: web.Request) -> web.Response:
        return web.json_response(self._told)


@pytest.mark.parametrize(
    "told", [{}, [], None, {"items": [{}], "orders": [{}], "order": {}, "payload": {}, "feeds": [], "Messages": [{}]}]
)
async def test_an_answer_of_which_nothing_can_be_made_is_none(told: object) -> None:
    arn = "arn:aws:sqs:us-east-1:123456789012:orders"
    settings = {"seller": SELLER, "marketplace": MARKETPLACE, "queue": arn, "aws_access_key_id": "a"}
    async with Odd(told) as url, remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as remote:
        settings |= {"endpoint": url, "login": f"{url}/auth/o2/token", "queue_endpoint": url}
        odd = Amazon(settings, {**CREDENTIALS, "aws_secret_access_key": "b"}, remote)
        (outcome,) = await odd.push([Target("mug", 1, 2, "k")])
        assert isinstance(outcome, Unknown)
        since = datetime.now(UTC)
        asked = [odd.levels(None), odd.read(["mug"]), odd.orders(since, None), odd.order("902")]
        (many,) = await asyncio.gather(odd.push_many([Target("mug", 3, 2, "k")]), return_exceptions=True)
        assert isinstance(many, RemoteAway) if isinstance(told, dict) and "feeds" in told else many == [Throttled(0.0)]
        for met in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(met, RemoteAway), met
        (met,) = await asyncio.gather(odd.check(None), return_exceptions=True)
        assert isinstance(met, RemoteAway | Check)
        assert isinstance(met, RemoteAway) or met.findings
        if isinstance(told, dict) and not told:
            assert await odd.pull() == []
        else:
            with pytest.raises(RemoteAway):
                await odd.pull()


async def test_its_orders_are_polled_no_more_often_than_their_quota_lasts() -> None:
    async with remote_of(Amazon.quotas) as remote:
        one = Amazon({"seller": SELLER, "marketplace": MARKETPLACE}, CREDENTIALS, remote)
        assert one.polls_apart_s == pytest.approx(59.5, abs=0.1)
        remote.buckets["orders"].refills_at(0.1)
        assert one.polls_apart_s == pytest.approx(10 / 3)
