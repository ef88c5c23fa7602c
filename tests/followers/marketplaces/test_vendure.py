"""Vendure as a channel, against a real Vendure: what is set, what comes of orders meanwhile, what is read and told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest

from followers.marketplaces.adapter import (
    AccessRefused,
    Answer,
    Applied,
    Listing,
    Notice,
    NoticeRefused,
    Order,
    Orders,
    Outcome,
    Refused,
    Remote,
    RemoteAway,
    SettingRefused,
    Stale,
    Target,
    Unknown,
)
from followers.marketplaces.conformance.bench import remote_of
from followers.marketplaces.conformance.cases import CASES, LeftOut, run
from followers.marketplaces.pushing.sending import send
from followers.marketplaces.vendure.adapter import Vendure
from followers.marketplaces.vendure.admin import TOKEN
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from tests.channels.vendure.shop import LOCATION, USER, NotTaken, Shop
from tests.channels.vendure.starting import PLUGIN, vendure
from tests.followers.marketplaces.inbox import Inbox
from tests.followers.marketplaces.vendure_bench import Clerk, Front, VendureBench, hire
from tests.followers.receivers import Received, Receivers
from tests.harness.node import run_node
from tests.harness.node_peers import need_node_peer
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import proxy_to
from tests.harness.servers import free_port
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")

SECRET = "whsec_" + "c2VjcmV0" * 4
OTHER_SECRET = "whsec_" + "b3RoZXJz" * 4
NOTICES_PORT = free_port()
AWAY = ROOT / "tests" / "channels" / "vendure" / "away.cjs"
REFUSED = "says that its access is refused"
HANGING_S = 5.0
"""Until what hangs is given up: each such case waits for it twice."""
OPEN = Addresses((ip_network("127.0.0.0/8"),))


class SmallPages(Vendure):
    page = 10


class Meanwhile(Remote):
    """Something happens there after all was read and before anything is set."""

    happens: Callable[[], Awaitable[object]] | None = None

    async def request(self, method: str, url: str, **more: Any) -> Answer:
        if more.get("changes") and self.happens:
            happens, self.happens = self.happens, None
            await happens()
        return await super().request(method, url, **more)


@dataclass(frozen=True, slots=True)
class Stage:
    shop: Shop
    sessions: Sessions
    remote: Meanwhile

    def adapter(self, kind: type[Vendure] = Vendure, *, secret: str = SECRET, **settings: str) -> Vendure:
        given = {"url": self.shop.url, "location": LOCATION} | settings
        login = {"username": USER, "password": self.shop.password} | settings
        return kind(given, login | {"notices": secret}, self.remote)

    async def push(self, variant: str, quantity: int, expected: int | None = None) -> Outcome:
        (outcome,) = await self.adapter().push([Target(variant, quantity, expected, "k")])
        return outcome


@pytest.fixture(scope="module")
def running(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    url = f"http://127.0.0.1:{NOTICES_PORT}/notices"
    with vendure(postgres, tmp_path_factory.mktemp("vendure"), notices_url=url, notices_secret=SECRET) as shop:
        yield shop


@pytest.fixture
async def stage(running: Shop) -> AsyncIterator[Stage]:
    async with running as shop, Sessions(OPEN, {}, timeout_s=PATIENCE_S) as sessions:
        yield Stage(shop, sessions, Meanwhile(sessions, Vendure.quotas))


@pytest.fixture(scope="module")
def clerk(running: Shop) -> Clerk:
    return asyncio.run(hire(running))


@pytest.fixture
async def bench(running: Shop, clerk: Clerk, case: str) -> AsyncIterator[VendureBench]:
    timeout_s = HANGING_S if case.endswith(("hangs", "half open")) else PATIENCE_S
    async with (
        running as shop,
        Front(shop.base_url) as front,
        proxy_to("127.0.0.1", front.port) as link,
        Inbox(port=NOTICES_PORT) as inbox,
        remote_of(Vendure.quotas, timeout_s=timeout_s) as remote,
    ):
        settings = {"url": f"http://127.0.0.1:{link.port}/admin-api", "location": LOCATION}
        adapter = Vendure(settings, {**clerk.login, "notices": SECRET}, remote)
        bench = VendureBench(adapter, shop, clerk, remote, front, link, inbox)
        yield bench
        if case == REFUSED:
            await bench.restore_access()


@pytest.mark.parametrize("case", CASES)
async def test_it_conforms(case: str, bench: VendureBench) -> None:
    try:
        await run(case, bench)
    except LeftOut as why:
        pytest.skip(str(why))


async def test_what_is_set_is_the_target_beside_what_its_orders_hold(stage: Stage) -> None:
    shop = stage.shop
    mug = await shop.offer("MUG", 20)
    order = await shop.sell(mug, 2)
    assert await stage.push(mug, 30, 18) == Applied()
    assert await shop.level(mug) == (32, 2)
    await shop.fulfil(order, {mug: 2})
    assert await stage.adapter().read([mug]) == [Listing(mug, 30, "MUG", title="Mug")], (
        "sent or not, it offers the same"
    )
    other = await shop.sell(mug, 3)
    await shop.cancel(other, {mug: 1})
    assert await stage.push(mug, 7, 28) == Applied()
    assert await shop.level(mug) == (9, 2)
    await shop.cancel(other)
    assert await shop.level(mug) == (9, 0), "what comes back is offered there at once, and here when it is booked"
    assert await stage.push(mug, 9, 7) == Applied()


async def test_what_was_cancelled_twice_there_is_mended_by_what_is_set(stage: Stage) -> None:
    mug = await stage.shop.offer("MUG", 20)
    order = await stage.shop.sell(mug, 3)
    await stage.shop.fulfil(order, {mug: 1})
    await stage.shop.cancel(order, {mug: 1})
    assert [one.quantity for one in await stage.adapter().read([mug])] == [19], "of 20, 2 are sold"
    assert await stage.push(mug, 18, 19) == Applied()
    assert [one.quantity for one in await stage.adapter().read([mug])] == [18]


async def test_a_level_that_was_sold_from_is_not_overwritten_but_a_zero_is_set(stage: Stage) -> None:
    mug = await stage.shop.offer("MUG", 20)
    await stage.shop.sell(mug, 2)
    assert await stage.push(mug, 25, 20) == Stale()
    assert await stage.shop.level(mug) == (20, 2)
    assert await stage.push(mug, 0, 20) == Applied()
    assert await stage.shop.level(mug) == (2, 2)
    with pytest.raises(NotTaken):
        await stage.shop.sell(mug)


async def test_the_same_once_more_changes_nothing(stage: Stage) -> None:
    mug = await stage.shop.offer("MUG", 20)
    assert [await stage.push(mug, 25, 20) for _ in range(2)] == [Applied()] * 2
    assert await stage.shop.level(mug) == (25, 0)


async def test_an_order_that_comes_while_a_level_is_set_is_not_overwritten(stage: Stage) -> None:
    mug = await stage.shop.offer("MUG", 20)
    stage.remote.happens = lambda: stage.shop.sell(mug, 2)
    assert await stage.push(mug, 30, 20) == Applied()
    assert [one.quantity for one in await stage.adapter().read([mug])] == [28]


async def test_a_fulfilment_that_comes_while_a_level_is_set_does_not_raise_it(stage: Stage) -> None:
    mug = await stage.shop.offer("MUG", 20)
    order = await stage.shop.sell(mug, 2)
    stage.remote.happens = lambda: stage.shop.fulfil(order, {mug: 2})
    assert await stage.push(mug, 10, 18) == Applied()
    assert await stage.shop.level(mug) == (10, 0)


async def test_what_cannot_be_set_keeps_nothing_else_back(stage: Stage) -> None:
    mug, cup = [await stage.shop.offer(sku, 20) for sku in ("MUG", "CUP")]
    await stage.shop.admin(
        "mutation($id: ID!) { updateProductVariants(input: [{id: $id, trackInventory: FALSE}]) { id } }", id=cup
    )
    ids = [cup, "999999", "99999999999999", "no-id", mug]
    outcomes = await send(stage.adapter(), [Target(one, 5, None, "k") for one in ids])
    assert [type(one) for one in outcomes] == [Refused, Refused, Refused, Refused, Applied], outcomes
    assert "trackInventory" in str(outcomes[0])
    assert {one.remote: one.quantity for one in await stage.adapter().read(["999999", mug, cup])} == {mug: 5, cup: None}


async def test_a_variant_that_is_deleted_while_it_is_set_keeps_the_others_back_once(stage: Stage) -> None:
    mug, gone = [await stage.shop.offer(sku, 20) for sku in ("MUG", "GONE")]
    delete = "mutation($id: ID!) { deleteProductVariant(id: $id) { result } }"
    stage.remote.happens = lambda: stage.shop.admin(delete, id=gone)
    targets = [Target(one, 5, 20, "k") for one in (mug, gone)]
    assert [type(one) for one in await stage.adapter().push(targets)] == [Unknown, Unknown]
    assert await stage.shop.level(mug) == (20, 0)
    assert [type(one) for one in await stage.adapter().push(targets)] == [Applied, Refused]


async def test_all_listings_are_read_page_by_page(stage: Stage) -> None:
    made = [await stage.shop.offer(f"PAGED-{number}", number) for number in range(11)]
    adapter, found = stage.adapter(SmallPages), list[Listing]()
    cursor: str | None = None
    while True:
        page = await adapter.levels(cursor)
        found += page.listings
        cursor = page.cursor
        if cursor is None:
            break
    mine = [one for one in found if one.remote in made]
    assert mine == [Listing(one, number, f"PAGED-{number}", title="Mug") for number, one in enumerate(made)]
    assert len({one.remote for one in found}) == len(found)


async def orders_since(adapter: Vendure, since: datetime) -> dict[str, Order]:
    page: Orders = await adapter.orders(since, None)
    found = [*page.orders]
    while page.cursor is not None:
        page = await adapter.orders(since, page.cursor)
        found += page.orders
    assert len({one.id for one in found}) == len(found)
    return {one.id: one for one in found}


async def test_orders_are_found_however_they_changed(
    stage: Stage,
) -> None:
    shop, adapter = stage.shop, stage.adapter(SmallPages)
    mug = await shop.offer("MUG", 50)
    sent, edited, cancelled, returned = [await shop.sell(mug, 3) for _ in range(4)]
    for order in (sent, returned):
        await shop.ship(await shop.fulfil(order, {mug: 3}))
    since = datetime.now(UTC)
    assert await orders_since(adapter, since) == {}
    await shop.put_in_basket(mug)
    promised = await shop.sell(mug, 4, paid=False)
    await shop.edit(edited, {mug: 2})
    await shop.cancel(cancelled)
    await shop.cancel(returned, {mug: 1})
    new = await shop.sell(mug)
    found = await orders_since(adapter, since)
    assert {one.id: (one.state, [(line.remote, line.quantity) for line in one.lines]) for one in found.values()} == {
        edited: ("paid", [(mug, 2)]),
        cancelled: ("cancelled", []),
        returned: ("paid", [(mug, 2)]),
        promised: ("paid", [(mug, 4)]),
        new: ("paid", [(mug, 1)]),
    }
    assert await adapter.order(new) == found[new]
    assert found[new].number == (await shop.order(new))["code"]
    await shop.admin("mutation($id: ID!) { deleteProductVariant(id: $id) { result } }", id=mug)
    assert await orders_since(adapter, since) == found, "what was sold stays sold when it is taken out of the shop"
    assert [await adapter.order(one) for one in ("999999", "99999999999999", "no-id")] == [None] * 3


def notice_of(told: Received) -> Notice:
    headers = {"webhook-id": told.id, "webhook-timestamp": str(told.timestamp), "webhook-signature": told.signature}
    return Notice(headers, told.body)


async def test_what_the_plugin_tells_is_believed_and_nothing_else(stage: Stage) -> None:
    shop = stage.shop
    async with Receivers(port=NOTICES_PORT) as receivers:
        mug = await shop.offer("MUG", 20)
        order = await shop.sell(mug, 2)

        async def told() -> Received | None:
            return next((one for one in receivers.received["notices"] if one.content["data"].get("order") == order
                         and one.content["data"]["levels"]), None)  # fmt: skip

        came = await wait_until(told)
        assert came
        notice = notice_of(came)
    said = await stage.adapter().receive(notice)
    assert (said.id, said.orders, said.changed_orders) == (notice.headers["webhook-id"], (), [order])
    assert said.levels == [Listing(mug, 18)]
    assert (await stage.adapter(location="2").receive(notice)).levels == []
    signature = notice.headers["webhook-signature"]
    wrong = [
        replace(notice, body=notice.body.replace(b":20", b":21")),
        replace(notice, headers={**notice.headers, "webhook-timestamp": "1"}),
        replace(notice, headers={**notice.headers, "webhook-id": "msg_other"}),
        replace(notice, headers={**notice.headers, "webhook-signature": signature.replace("v1,", "v1a,")}),
        *(replace(notice, headers={k: v for k, v in notice.headers.items() if k != one}) for one in notice.headers),
    ]
    for one in wrong:
        with pytest.raises(NoticeRefused):
            await stage.adapter().receive(one)
    with pytest.raises(NoticeRefused, match="not signed"):
        await stage.adapter(secret=OTHER_SECRET).receive(notice)
    rotated = replace(notice, headers={**notice.headers, "webhook-signature": f"v1,other {signature}"})
    assert await stage.adapter().receive(rotated) == said
    later = Remote(stage.sessions, (), now_s=lambda: datetime.now(UTC).timestamp() + 301)
    with pytest.raises(NoticeRefused, match="more than 300 s"):
        await replace(stage, remote=later).adapter().receive(notice)  # type: ignore[arg-type]  # it happens nothing


def test_a_shop_outlives_an_order_that_its_plugin_cannot_look_up() -> None:
    packages = need_node_peer("vendure") / "node_modules"
    printed = run_node(AWAY, env={"NODE_PATH": str(packages), "PLUGIN": str(PLUGIN)})
    assert printed == "goes on, and 0 wait\n"


async def test_a_login_that_ended_is_renewed_and_one_that_is_refused_stops(stage: Stage) -> None:
    adapter = stage.adapter()
    mug = await stage.shop.offer("MUG", 20)
    await adapter.read([mug])
    token = stage.remote.kept_value(TOKEN)
    stage.remote.keep(TOKEN, "ended", 60)
    assert [one.quantity for one in await adapter.read([mug])] == [20]
    assert stage.remote.kept_value(TOKEN) not in ("ended", token)
    stage.remote.kept.clear()
    with pytest.raises(AccessRefused, match="login"):
        await stage.adapter(password="wrong").read([mug])


async def test_a_shop_that_is_not_there_is_away_and_no_setting_that_cannot_work_is_taken(stage: Stage) -> None:
    for url in (f"http://127.0.0.1:{free_port()}/admin-api", f"{stage.shop.base_url}/nothing"):
        with pytest.raises(RemoteAway):
            await stage.adapter(url=url).push([Target("1", 1, None, "k")])
    with pytest.raises(SettingRefused, match="whole address"):
        stage.adapter(url="shop")
    for secret in ("whsec_c2hvcnQ=", "c2VjcmV0" * 4, "whsec_#"):
        with pytest.raises(SettingRefused, match="24 to 64 bytes"):
            stage.adapter(secret=secret)


async def test_check_names_what_keeps_levels_or_orders_from_being_right(stage: Stage) -> None:
    assert (await stage.adapter().check(None)).findings == []
    (finding,) = (await stage.adapter(location="9").check(None)).findings
    assert "no stock location with the id 9" in finding
    setting = """mutation($track: Boolean!, $threshold: Int!) {
      updateGlobalSettings(input: {trackInventory: $track, outOfStockThreshold: $threshold}) { __typename }
    }"""
    made = await stage.shop.admin('mutation { createStockLocation(input: {name: "Other"}) { id } }')
    await stage.shop.admin(setting, track=False, threshold=-5)
    try:
        findings = (await stage.adapter().check(None)).findings
    finally:
        await stage.shop.admin(setting, track=True, threshold=0)
        await stage.shop.admin("mutation($id: ID!) { deleteStockLocation(input: {id: $id}) { result } }",
                               id=made["createStockLocation"]["id"])  # fmt: skip
    assert [finding.partition(":")[2] for finding in findings] == [
        " give each location a channel of Vendure, and name its token",
        " switch trackInventory on in its global settings",
        " set outOfStockThreshold to 0 in its global settings",
    ]


async def test_an_administrator_who_may_not_do_it_is_named_with_what_it_needs(stage: Stage) -> None:
    role = await stage.shop.admin(
        """mutation { createRole(input: {code: "reader", description: "", permissions: [ReadCatalog, ReadOrder]})
          { id } }"""
    )
    await stage.shop.admin(
        """mutation($roles: [ID!]!) { createAdministrator(input: {firstName: "R", lastName: "Eader",
          emailAddress: "reader@shop.example", password: "readerreader", roleIds: $roles}) { id } }""",
        roles=[role["createRole"]["id"]],
    )
    mug = await stage.shop.offer("MUG", 20)
    adapter = stage.adapter(username="reader@shop.example", password="readerreader")
    with pytest.raises(AccessRefused, match=r"reader@shop\.example may not"):
        await adapter.push([Target(mug, 5, None, "k")])
