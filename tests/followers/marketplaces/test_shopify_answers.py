"""Answers that Shopify's strict server does not give by itself: what the adapter makes of each."""

import asyncio
from typing import Any

import orjson
import pytest
from aiohttp import web

from followers.marketplaces.adapter import AccessRefused, Quota, RemoteAway, SettingRefused, Target, Throttled
from followers.marketplaces.conformance.bench import remote_of
from followers.marketplaces.shopify.adapter import SCOPES, Shopify
from followers.marketplaces.shopify.documents import ORDERS
from tests.harness.waiting import wait_until

DENIED = {"message": "Access denied for orders field.", "extensions": {"code": "ACCESS_DENIED"}}
SPENT = {"currentlyAvailable": 2, "maximumAvailable": 2000, "restoreRate": 100}


class Canned:
    """A shop that always answers the same. An async context manager: its address."""

    def __init__(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        self._answer = status, content if isinstance(content, bytes) else orjson.dumps(content), headers
        self.asked = 0

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._reply)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _reply(self, _: web.Request) -> web.Response:
        self.asked += 1
        status, body, headers = self._answer
        return web.Response(status=status, body=body, headers=headers)


def with_token(url: str, remote: Any) -> Shopify:
    return Shopify({"shop": url, "location": "7"}, {"secret": "s", "token": "shpat_t"}, remote)


@pytest.mark.parametrize(
    ("status", "content", "error", "match"),
    [
        (401, {"errors": "[API] Invalid API key"}, AccessRefused, "401"),
        (403, {"errors": "This app is disabled"}, AccessRefused, "403"),
        (402, {"errors": "Unavailable Shop"}, RemoteAway, "402"),
        (503, {"errors": "later"}, RemoteAway, "503"),
        (200, {"errors": [DENIED], "data": {"location": None}}, AccessRefused, "Access denied for orders field"),
        (200, {"errors": "all at once"}, RemoteAway, "all at once"),
        (200, {"errors": [{"message": "odd", "extensions": None}]}, RemoteAway, "odd"),
        (200, {"data": None}, RemoteAway, "without data"),
        (200, {"data": {}}, RemoteAway, "shape"),
        (200, {"data": {"location": {"inventoryLevels": {"nodes": [{}]}}}}, RemoteAway, "shape"),
        (200, [1], RemoteAway, "no answer of GraphQL"),
        (200, b"<html>", RemoteAway, "JSON"),
    ],
)
async def test_what_is_no_answer_is_told_in_words(
    status: int, content: Any, error: type[RemoteAway], match: str
) -> None:
    async with Canned(status, content) as url, remote_of(Shopify.quotas) as remote:
        with pytest.raises(error, match=match) as raised:
            await with_token(url, remote).levels(None)
        assert type(raised.value) is error


@pytest.mark.parametrize(
    ("status", "content", "headers", "after_s"),
    [
        (200, {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}, {}, 1.0),
        (429, {"errors": "Too many"}, {"retry-after": "3"}, 3.0),
        (
            200,
            {
                "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
                "extensions": {"cost": {"requestedQueryCost": 12, "throttleStatus": SPENT}},
            },
            {},
            0.1,
        ),
    ],
)
async def test_a_throttled_push_says_when_there_is_room(
    status: int, content: Any, headers: dict[str, str], after_s: float
) -> None:
    async with Canned(status, content, headers) as url, remote_of(Shopify.quotas) as remote:
        outcomes = await with_token(url, remote).push([Target("1", 7, 5, "a"), Target("2", 0, None, "b")])
    assert [one.after_s for one in outcomes if isinstance(one, Throttled)] == [pytest.approx(after_s)] * 2


async def test_a_call_in_which_something_is_wrong_each_time_is_not_sent_for_ever() -> None:
    """Shopify names another target each time: after three calls the rest waits for the next round."""
    error = {"code": "CHANGE_FROM_QUANTITY_STALE", "message": "", "field": ["input", "quantities", "0", "x"]}
    payload = {"inventoryAdjustmentGroup": None, "userErrors": [error]}
    canned = Canned(200, {"data": {"inventorySetQuantities": payload}})
    async with canned as url, remote_of(Shopify.quotas) as remote:
        outcomes = await with_token(url, remote).push([Target(str(one), 7, 5, str(one)) for one in range(5)])
    assert [type(one).__name__ for one in outcomes] == ["Stale"] * 3 + ["Throttled"] * 2
    assert canned.asked == 3


@pytest.mark.parametrize(
    ("scopes", "locations", "active", "findings"),
    [
        (["write_inventory", "read_products", "read_orders", "read_locations"], 1, True, []),
        (["read_inventory", "read_orders"], 1, True, ["The app lacks write_inventory, read_products, read_locations:"]),
        (list(SCOPES), 2, True, ["The shop has more than one location"]),
        (list(SCOPES), 1, False, ["The shop has no active location 7"]),
    ],
)
async def test_what_is_wrong_with_a_shop_is_found(
    scopes: list[str], locations: int, active: bool, findings: list[str]
) -> None:
    data = {
        "currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in scopes]},
        "location": {"name": "Berlin", "isActive": active},
        "locations": {"nodes": [{"id": str(one)} for one in range(locations)]},
        "webhookSubscriptions": {"nodes": []},
    }
    async with Canned(200, {"data": data}) as url, remote_of(Shopify.quotas) as remote:
        found = (await with_token(url, remote).check(None)).findings
    assert [one.startswith(start) for one, start in zip(found, findings, strict=True)] == [True] * len(findings)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"shop": "my-shop.myshopify.com", "location": "Berlin"}, "location"),
        ({"shop": "my-shop.myshopify.com", "location": "7"}, "client_id"),
        ({"shop": "my shop/admin", "location": "7", "client_id": "c"}, "shop"),
    ],
)
async def test_settings_that_cannot_work_are_refused_by_name(settings: dict[str, str], name: str) -> None:
    async with remote_of(Shopify.quotas) as remote:
        with pytest.raises(SettingRefused) as refused:
            Shopify(settings, {"secret": "s"}, remote)
    assert refused.value.name == name


async def test_orders_are_polled_while_pushes_take_all_points_that_come_back() -> None:
    """They would wait for ever for as many as a poll needs at once."""
    quota = Quota("points", burst=20, per_s=20, kept=0.1)
    async with Canned(200, {}) as url, remote_of([quota]) as remote, asyncio.TaskGroup() as tasks:
        bucket = remote.buckets["points"]

        async def push() -> None:
            while True:
                await remote.request("POST", url, quota="points")

        async def spent() -> bool:
            return bucket.tokens < 4

        pushing = [tasks.create_task(push()) for _ in range(4)]
        await wait_until(spent)
        await remote.request("POST", url, quota="points", cost=15, urgent=True)
        for task in pushing:
            task.cancel()


async def test_a_read_of_all_listings_leaves_half_of_what_there_is_to_pushes() -> None:
    quota = Quota("points", burst=20, per_s=0.001, kept=0.1)
    async with Canned(200, {}) as url, remote_of([quota]) as remote, asyncio.TaskGroup() as tasks:
        bucket = remote.buckets["points"]

        async def read() -> None:
            while True:
                await remote.request("POST", url, quota="points", spare=True)

        async def waits() -> bool:
            return bucket.tokens < 11

        reading = tasks.create_task(read())
        await wait_until(waits)
        for _ in range(8):
            await remote.request("POST", url, quota="points")
        assert bucket.tokens < 3, "all but what is kept for zeros and orders"
        reading.cancel()


async def test_a_read_of_all_listings_goes_on_though_pushes_leave_no_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("followers.marketplaces.remote.SPARED_S_MAX", 0.01)
    quota = Quota("points", burst=20, per_s=0.001, kept=0.1)
    async with Canned(200, {}) as url, remote_of([quota]) as remote:
        remote.buckets["points"].fed(5)
        await remote.request("POST", url, quota="points", spare=True)
        assert remote.buckets["points"].tokens < 5


async def test_polls_of_orders_leave_half_of_the_quota_to_pushes() -> None:
    async with remote_of(Shopify.quotas) as remote:
        one = with_token("https://shop.example", remote)
        assert one.polls_apart_s * 100 == 2 * ORDERS.cost
        remote.buckets["points"].refills_at(1_000)
        assert one.polls_apart_s * 1_000 == 2 * ORDERS.cost
