"""The routes of orders: notices come in, people see what became of them, answers are as the document has them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from followers.answers import Answers
from followers.api.app import ANSWERED, create_app
from followers.api.askers import Askers
from followers.database.database import Database
from followers.log.ledger import Ledger
from followers.marketplaces.adapter import Adapter
from followers.marketplaces.orders.api.routes import NOTICE_BYTES_MAX, OrderParts, OrderRoutes
from followers.marketplaces.orders.notices import Notices
from followers.marketplaces.orders.pages import OrderPages
from followers.marketplaces.orders.shelf import Shelf
from followers.marketplaces.pushing.pushes import Pushes
from followers.marketplaces.pushing.rounds import Pushing
from followers.marketplaces.terms import Notice
from server.http.problems import Problems
from server.rates.rate_limits import RateLimits
from tests.followers.marketplaces.orders.rig import Rig
from tests.harness.openapi import document
from tests.harness.waiting import wait_until

CHANNELS = document("channels-openapi.yaml")
OPERATIONS = {name: one for name, one in CHANNELS.operations.items() if "orders" in one[2]["tags"]}
PUBLIC = ("receiveNotice", "challengeNotices")
AWAY = "postgresql://nobody@127.0.0.1:1/nothing"


@dataclass
class Api:
    rig: Rig
    app: Starlette
    told: list[str] = field(default_factory=list)

    def as_(self, key: str | None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        base = f"http://channels/v1/channels/{self.rig.leased.id}"
        return httpx.AsyncClient(transport=transport, base_url=base, headers=headers, event_hooks={"response": [_held]})


@asynccontextmanager
async def serving(rig: Rig, database_url: str | None = None) -> AsyncIterator[Api]:
    async def adapter_of(channel: str) -> Adapter | None:
        return rig.stall if channel == rig.leased.id else None

    async def ready() -> None:
        return None

    system, told = rig.system, list[str]()
    async with (
        Database(database_url or system.database_url) as database,
        Ledger(system.ledger_url, await system.hub_key()) as ledger,
    ):
        limits = RateLimits(0, None, "", "channels", counted="key")
        parts = OrderParts(
            OrderPages(database), Notices(database, Shelf(database)), Askers(ledger, limits), adapter_of, told.append
        )
        routes = OrderRoutes(parts).routes()
        app = create_app(routes, limits, Problems(ANSWERED), Answers(), ready, lambda _: NOTICE_BYTES_MAX)
        yield Api(rig, app, told)


@pytest.fixture
async def api(rig: Rig) -> AsyncIterator[Api]:
    async with serving(rig) as api:
        yield api


@pytest.fixture
async def owner(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    async with api.as_(await api.rig.system.admin_key()) as owner:
        yield owner


async def test_a_notice_is_verified_stored_once_and_applied(api: Api, owner: httpx.AsyncClient) -> None:
    rig = api.rig
    await rig.stock(5)
    notice = rig.stall.notice(rig.stall.say("gid://1", "paid", r1=2, new=1))
    async with api.as_(None) as channel, rig.desk():
        for _ in range(2):
            assert (await _send(channel, notice)).status_code == 200
        assert (await _send(channel, Notice({"secret": "wrong"}, notice.body))).status_code == 401
        await rig.settled()
    assert api.told == [rig.leased.id]
    (order,) = (await owner.get("/orders", params={"order": "gid://1"})).json()["orders"]
    assert order["booked"] == [{"sku": rig.sku, "location": "berlin", "sold": 2, "held": 0}]
    assert (order["unmapped"], order["waits"], order["booked_here"]) == (["new"], False, True)
    (unmapped,) = (await owner.get("/unmapped")).json()["unmapped"]
    assert unmapped == {"remote": "new", "title": "", "orders": 1, "units": 1}


async def test_notices_that_cannot_be_stored_now_are_to_be_sent_again(rig: Rig) -> None:
    notice = rig.stall.notice(rig.stall.say("1", "paid", r1=2))
    async with serving(rig, AWAY) as api, api.as_(None) as channel:
        assert (await _send(channel, notice)).status_code == 503
    async with serving(rig) as api, api.as_(None) as channel:
        too_large = Notice(notice.headers, b" " * (NOTICE_BYTES_MAX + 1))
        assert (await _send(channel, too_large)).status_code == 413
        assert (await channel.post("http://channels/v1/channels/unknown/notices")).status_code == 404


async def test_a_full_inbox_turns_away(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("followers.marketplaces.orders.notices.WAITING_MAX", 2)
    async with api.as_(None) as channel:
        answers = [await _send(channel, api.rig.stall.notice(r1=number)) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 503]


async def test_what_was_oversold_is_booked_when_somebody_asks_or_given_up(api: Api, owner: httpx.AsyncClient) -> None:
    rig = api.rig
    await rig.learn(rig.stall.say("1", "paid", r1=3))
    async with rig.desk():
        await rig.settled()
        (open_,) = (await owner.get("/oversold")).json()["oversold"]
        assert (open_["order"], open_["units"], open_["resolved_at"]) == ("1", 3, None)
        assert [one["id"] for one in (await owner.get("/orders?which=oversold")).json()["orders"]] == ["1"]
        await rig.stock(2)
        settle = {"order": "1", "sku": rig.sku, "how": "book", "why": "a delivery"}
        assert (await owner.post("/oversold", json=settle)).status_code == 202
        await rig.settled()
        (open_,) = (await owner.get("/oversold")).json()["oversold"]
        assert (open_["units"], open_["why"], await rig.available()) == (1, "a delivery", 0)
        assert (await owner.post("/oversold", json={**settle, "how": "give_up", "why": "refunded"})).status_code == 202
        await rig.settled()
        assert (await owner.get("/oversold")).json()["oversold"] == []
        await rig.stock(5)
        assert (await owner.post("/oversold", json=settle)).status_code == 404
        await rig.learn(rig.stall.say("1", "paid", r1=4))
        await rig.settled()
    assert await rig.available() == 4, "what was given up is not booked, what came to the order is"
    (row,) = (await owner.get("/oversold?all=true")).json()["oversold"]
    assert (row["why"], row["units"], len(row["resolved_by"]) > 0) == ("refunded", 1, True)


async def test_the_window_is_what_was_sold_on_the_way_in_and_out(api: Api, owner: httpx.AsyncClient) -> None:
    rig = api.rig
    empty = (await owner.get("/window")).json()
    assert empty == {"way_in_s": None, "way_out_s": None, "polled_s": None, "listings": []}
    async with rig.database.transaction() as connection:
        await connection.execute(
            "update channel set created_at = created_at - interval '1 day' where id = $1", rig.leased.id
        )
    for number, (ago_s, units) in enumerate([(7_200, 9), (600, 1), (32, 2), (25, 3), (0, 1)]):
        await rig.learn(rig.stall.say(str(number), "paid", placed_ago_s=ago_s, r1=units))
    async with rig.database.transaction() as connection:
        await connection.execute(
            "update channel_order set settled_at = placed_at + interval '5 s' where channel = $1", rig.leased.id
        )
    window = (await owner.get("/window")).json()
    assert (window["way_in_s"], window["way_out_s"]) == (5, None)
    assert window["listings"] == [{"remote": "r1", "units_sold": 7, "units_at_risk": 3}]
    async with rig.database.transaction() as connection:
        await connection.execute("insert into way_out values ($1, now() - interval '2 hours', 900)", rig.leased.id)
        await connection.execute("insert into way_out values ($1, now() - interval '59 minutes', 3)", rig.leased.id)
    window = (await owner.get("/window")).json()
    assert (window["way_in_s"], window["way_out_s"]) == (5, 3)
    assert window["listings"] == [{"remote": "r1", "units_sold": 7, "units_at_risk": 5}]


async def test_an_order_that_waits_for_its_booking_is_on_its_way_in(api: Api, owner: httpx.AsyncClient) -> None:
    """Known is not booked: until then the last unit of it may go to somebody else."""
    rig = api.rig
    async with rig.database.transaction() as connection:
        await connection.execute(
            "update channel set created_at = created_at - interval '1 day' where id = $1", rig.leased.id
        )
    await rig.stock(5)
    await rig.learn(rig.stall.say("1", "paid", placed_ago_s=7_200, r1=1))
    assert (await owner.get("/window")).json()["way_in_s"] >= 7_200
    async with rig.desk():
        await rig.settled()
    booked = (await owner.get("/window")).json()["way_in_s"]
    assert booked >= 7_200, "it was long on its way, and was settled in this hour"
    await rig.learn(rig.stall.say("1", "paid", r1=2))
    async with rig.desk():
        await rig.settled()
    assert (await owner.get("/window")).json()["way_in_s"] == booked, "an edit is no sale that nobody knew of"


async def test_what_has_not_reached_a_listing_yet_is_on_its_way_out(api: Api, owner: httpx.AsyncClient) -> None:
    rig = api.rig
    async with rig.database.transaction() as connection:
        await connection.execute(
            "insert into outgoing (channel, remote, fell_at) values ($1, 'r1', now() - interval '2 hours')",
            rig.leased.id,
        )
    assert (await owner.get("/window")).json()["way_out_s"] >= 7_200
    async with rig.database.transaction() as connection:
        await connection.execute("update outgoing set state = 'dead' where channel = $1", rig.leased.id)
    assert (await owner.get("/window")).json()["way_out_s"] is None, "what is refused for good is told elsewhere"


async def test_a_raise_that_waits_for_orders_is_on_no_way_out(api: Api, owner: httpx.AsyncClient) -> None:
    rig = api.rig
    await rig.stock(5)
    async with rig.database.transaction() as connection:
        await connection.execute(
            "insert into outgoing (channel, remote, sent_quantity, fell_at)"
            " values ($1, 'r1', 3, now() - interval '1 hour')",
            rig.leased.id,
        )

    async def not_late() -> bool:
        return (await owner.get("/window")).json()["way_out_s"] is None

    async with Ledger(rig.system.ledger_url, await rig.system.hub_key()) as ledger:
        pushing = asyncio.create_task(Pushing(rig.database, ledger, Pushes()).loops(rig.leased)["pushing"]())
        try:
            await wait_until(not_late, what="what falls is on its way to a raise that waits")
        finally:
            pushing.cancel()
    assert (await rig.rows("select sent_quantity, state from outgoing where channel = $1"))[0] == (3, "due")


async def test_pages_of_orders_go_from_the_newest_to_the_oldest(api: Api, owner: httpx.AsyncClient) -> None:
    rig = api.rig
    for number in range(5):
        await rig.learn(rig.stall.say(str(number), "paid", r1=1))
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await owner.get("/orders", params={"limit": 2, **({"after": after} if after else {})})).json()
        seen += [one["id"] for one in page["orders"]]
        after = page["next"]
    assert seen == ["4", "3", "2", "1", "0"]


async def test_routes_and_document_are_the_same_and_answer_as_described(api: Api, owner: httpx.AsyncClient) -> None:
    routes = [route for route in api.app.routes if isinstance(route, Route) and "channels" in route.path]
    served = {(method, route.path) for route in routes for method in (route.methods or set()) - {"HEAD"}}
    assert served == {(method, path) for method, path, _ in OPERATIONS.values()}
    async with api.as_(None) as nobody:
        assert {await _status(nobody, name) for name in OPERATIONS if name not in PUBLIC} == {401}
    async with api.as_(await api.rig.system.key("another", "stock:read:*")) as another:
        assert {await _status(another, name) for name in OPERATIONS if name not in PUBLIC} == {404}
    for name in OPERATIONS:
        if name not in PUBLIC:
            spoilt = {"content": b"{"} if name == "settleOversold" else {"params": {"nonsense": "1"}}
            assert await _status(owner, name, **spoilt) == 400
    for query in ("which=some", "order=", "after=0", "limit=0"):
        assert (await owner.get(f"/orders?{query}")).status_code == 400
    assert (await owner.get("/oversold?all=perhaps")).status_code == 400
    assert (await owner.post("/oversold", json={"order": "1"})).status_code == 422


async def _send(client: httpx.AsyncClient, notice: Notice) -> httpx.Response:
    return await client.post("/notices", content=notice.body, headers=dict(notice.headers))


async def _status(client: httpx.AsyncClient, name: str, **asked: Any) -> int:
    method, path, _ = OPERATIONS[name]
    if name == "settleOversold" and not asked:
        asked = {"json": {"order": "1", "sku": "A", "how": "book", "why": "now"}}
    return (await client.request(method, path.removeprefix("/v1/channels/{id}"), **asked)).status_code


async def _held(answer: httpx.Response) -> None:
    await answer.aread()
    CHANNELS.check_answer(answer)
