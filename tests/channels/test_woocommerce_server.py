"""The strict WooCommerce: each of its rules, kept and broken."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from tests.channels.shared.faults import Faults
from tests.channels.woocommerce.access import KEY, READ_KEY, READ_SECRET, SECRET
from tests.channels.woocommerce.asking import Asking
from tests.channels.woocommerce.marketplace import WooCommerce
from tests.channels.woocommerce.products import BATCH_MAX
from tests.channels.woocommerce.rules import RULES
from tests.harness.waiting import wait_until


@pytest.fixture
def asking() -> Asking:
    shop = WooCommerce()
    shop.offer({"id": "1", "title": "Mug", "sku": "MUG", "quantity": 5, "barcode": "4006381333931"})
    shop.offer({"id": "2", "title": "Cap", "sku": "CAP", "quantity": 3})
    shop.offer({"id": "11", "title": "Shirt M", "sku": "SHIRT-M", "quantity": 4, "parent": "10"})
    shop.offer({"id": "12", "title": "Shirt L", "sku": "SHIRT-L", "quantity": 0, "parent": "10"})
    shop.offer({"id": "20", "title": "Voucher", "sku": "VOUCHER", "manage_stock": False})
    return Asking(shop)


# Getting in


async def test_only_with_a_key_and_its_secret(asking: Asking) -> None:
    assert await asking.get("/products/1")
    by_query = await asking.client.get("/products/1", params={"consumer_key": KEY, "consumer_secret": SECRET})
    assert by_query.status_code == 200
    asking.auth = None
    assert await asking.refused("auth.missing", "GET", "/products") == (401, "woocommerce_rest_cannot_view")
    for auth in ((KEY, "cs_guessed"), ("ck_guessed", SECRET)):
        asking.auth = auth
        assert await asking.refused("auth.key", "GET", "/orders") == (401, "woocommerce_rest_authentication_error")
    asking.auth = (KEY, SECRET)
    asking.shop.faults = Faults(token_revoked=True)
    assert (await asking.refused("auth.key", "GET", "/orders"))[0] == 401


async def test_a_key_that_reads_does_not_write(asking: Asking) -> None:
    asking.auth = (READ_KEY, READ_SECRET)
    assert (await asking.get("/products/1"))["stock_quantity"] == 5
    refused = await asking.refused("auth.read_only", "PUT", "/products/1", {"stock_quantity": 9})
    assert refused == (401, "woocommerce_rest_authentication_error")
    assert asking.shop.selling.levels["1"] == 5


async def test_keys_are_not_taken_over_plain_http() -> None:
    asking = Asking(WooCommerce(tls=False))
    assert await asking.refused("auth.plain", "GET", "/products") == (401, "woocommerce_rest_cannot_view")


async def test_what_is_not_served_is_said_so(asking: Asking) -> None:
    for method, path in (("GET", "/coupons"), ("DELETE", "/products/1")):
        assert await asking.refused("route", method, path) == (404, "rest_no_route")


async def test_a_body_is_json(asking: Asking) -> None:
    for body in (b"{", b"[]"):
        answer = await asking.client.put("/products/1", content=body, auth=(KEY, SECRET))
        assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_json")
    assert asking.shop.rules.broken["json"] == 2


# Products


async def test_lists_come_in_pages(asking: Asking) -> None:
    first = await asking.ask("GET", "/products", per_page=3, order="asc", orderby="id")
    assert [one["id"] for one in first.json()] == [1, 2, 10]
    assert (first.headers["X-WP-Total"], first.headers["X-WP-TotalPages"]) == ("4", "2")
    assert 'rel="next"' in first.headers["Link"]
    second = await asking.ask("GET", "/products", per_page=3, order="asc", orderby="id", page=2)
    assert [one["id"] for one in second.json()] == [20]
    assert 'rel="prev"' in second.headers["Link"]
    assert await asking.get("/products", page=9) == []
    for number in range(100, 120):
        asking.shop.offer({"id": str(number), "title": "More", "quantity": 1})
    assert len(await asking.get("/products")) == 10
    for query in ({"per_page": 101}, {"per_page": 0}, {"page": 0}, {"page": "x"}, {"offset": -1}):
        assert await asking.refused("page", "GET", "/products", **query) == (400, "rest_invalid_param")
    for query in ({"order": "up"}, {"orderby": "stock"}, {"include": "1,x"}):
        assert await asking.refused("parameter", "GET", "/products", **query) == (400, "rest_invalid_param")


async def test_products_and_variations_show_what_they_count(asking: Asking) -> None:
    mug = await asking.get("/products/1")
    assert (mug["type"], mug["sku"], mug["global_unique_id"]) == ("simple", "MUG", "4006381333931")
    assert (mug["manage_stock"], mug["stock_quantity"], mug["stock_status"]) == (True, 5, "instock")
    shirt = await asking.get("/products/10")
    assert (shirt["type"], shirt["variations"], shirt["stock_quantity"]) == ("variable", [11, 12], None)
    sizes = await asking.get("/products/10/variations", order="asc")
    assert [(one["id"], one["stock_quantity"], one["stock_status"]) for one in sizes] == [
        (11, 4, "instock"),
        (12, 0, "outofstock"),
    ]
    assert (await asking.get("/products/20"))["stock_quantity"] is None
    assert [one["id"] for one in await asking.get("/products", sku="SHIRT-M,MUG", order="asc")] == [1, 11]
    assert [one["id"] for one in await asking.get("/products", include="2,20")] == [20, 2]
    for path in ("/products/99", "/products/11"):
        assert await asking.refused("product.unknown", "GET", path) == (404, "woocommerce_rest_product_invalid_id")
    for path in ("/products/10/variations/99", "/products/1/variations/11"):
        refused = await asking.refused("variation.unknown", "GET", path)
        assert refused == (404, "woocommerce_rest_product_variation_invalid_id")


async def test_a_quantity_is_set_as_a_whole_number_where_it_is_managed(asking: Asking) -> None:
    assert (await asking.ask("PUT", "/products/1", {"stock_quantity": 9})).json()["stock_quantity"] == 9
    assert (await asking.ask("PUT", "/products/10/variations/12", {"stock_quantity": 2})).status_code == 200
    assert (asking.shop.selling.levels["1"], asking.shop.selling.levels["12"]) == (9, 2)
    for quantity in ("7", 1.5, True):
        refused = await asking.refused("stock.integer", "PUT", "/products/1", {"stock_quantity": quantity})
        assert refused == (400, "rest_invalid_param")
    dropped = await asking.ask("PUT", "/products/20", {"stock_quantity": 7})
    assert (dropped.status_code, dropped.json()["stock_quantity"]) == (200, None)
    assert asking.shop.rules.broken["stock.unmanaged"] == 1
    managed = await asking.ask("PUT", "/products/20", {"manage_stock": True, "stock_quantity": 7})
    assert managed.json()["stock_quantity"] == 7
    refused = await asking.refused("product.variation", "PUT", "/products/11", {"stock_quantity": 7})
    assert refused == (404, "woocommerce_rest_invalid_product_id")


async def test_a_variation_may_count_with_its_product(asking: Asking) -> None:
    asking.shop.offer({"id": "31", "title": "Poster A2", "manage_stock": "parent", "parent": "30"})
    await asking.ask("PUT", "/products/30", {"manage_stock": True, "stock_quantity": 6})
    shown = await asking.get("/products/30/variations/31")
    assert (shown["manage_stock"], shown["stock_quantity"]) == ("parent", 6)
    await asking.ask("PUT", "/products/30/variations/31", {"stock_quantity": 1})
    assert asking.shop.selling.levels["30"] == 6
    assert asking.shop.rules.broken["stock.unmanaged"] == 1


async def test_a_batch_has_a_result_for_each_and_a_hundred_at_most(asking: Asking) -> None:
    asked = [{"id": 1, "stock_quantity": 8}, {"id": 99, "stock_quantity": 1}, {"id": 11, "stock_quantity": 1}]
    done = (await asking.ask("POST", "/products/batch", {"update": [*asked, {"id": 2, "stock_quantity": 7}]})).json()
    assert [one["id"] for one in done["update"]] == [1, 99, 11, 2]
    assert [one.get("stock_quantity") for one in done["update"]] == [8, None, None, 7]
    assert [one["error"]["code"] for one in done["update"] if "error" in one] == [
        "woocommerce_rest_product_invalid_id",
        "woocommerce_rest_invalid_product_id",
    ]
    sizes = await asking.ask("POST", "/products/10/variations/batch", {"update": [{"id": 11, "stock_quantity": 1}]})
    assert sizes.json()["update"][0]["stock_quantity"] == 1
    most = {"update": [{"id": 1, "stock_quantity": 3}] * BATCH_MAX}
    assert (await asking.ask("POST", "/products/batch", most)).status_code == 200
    more = {"update": [{"id": 1, "stock_quantity": 4}] * (BATCH_MAX + 1)}
    refused = await asking.refused("batch.most", "POST", "/products/batch", more)
    assert refused == (413, "woocommerce_rest_request_entity_too_large")
    assert asking.shop.selling.levels["1"] == 3


# Orders


async def test_orders_are_shown_as_they_are_with_their_refunds_apart(asking: Asking) -> None:
    selling = asking.shop.selling
    paid, promised, dropped = [selling.sell({"1": 1, "11": 1}, paid=paid).id for paid in (True, False, True)]
    selling.cancel(dropped)
    selling.refund(paid, {"11": 1})
    shown = {str(one["id"]): one for one in await asking.get("/orders")}
    assert {one: shown[one]["status"] for one in shown} == {
        paid: "processing",
        promised: "on-hold",
        dropped: "cancelled",
    }
    lines = [(one["product_id"], one["variation_id"], one["quantity"]) for one in shown[paid]["line_items"]]
    assert lines == [(1, 0, 1), (10, 11, 1)], "what was refunded stays in the lines"
    (refund,) = await asking.get(f"/orders/{paid}/refunds")
    back = [(one["product_id"], one["variation_id"], one["quantity"]) for one in refund["line_items"]]
    assert back == [(10, 11, -1)]
    assert shown[paid]["refunds"][0]["id"] == refund["id"]
    assert (shown[promised]["date_paid_gmt"], shown[paid]["date_paid_gmt"] is None) == (None, False)
    selling.pay(promised)
    selling.edit(promised, {"1": 2})
    changed = await asking.get(f"/orders/{promised}")
    assert (changed["status"], [one["quantity"] for one in changed["line_items"]]) == ("processing", [2])
    for path in ("/orders/9", "/orders/9/refunds"):
        refused = await asking.refused("order.unknown", "GET", path)
        assert refused == (404, "woocommerce_rest_shop_order_invalid_id")


async def test_orders_are_asked_for_by_seconds_of_the_site_or_of_utc(asking: Asking) -> None:
    order = asking.shop.selling.sell({"1": 1})
    second = datetime.fromtimestamp(int(order.updated_at), UTC).replace(tzinfo=None)
    before = second - timedelta(seconds=1)

    async def found(at: datetime, **query: object) -> int:
        return len(await asking.get("/orders", modified_after=at.isoformat(), **query))

    assert await found(before, dates_are_gmt="true") == 1
    assert await found(second, dates_are_gmt="true") == 0, "the second itself is left out"
    assert await found(second + timedelta(hours=1), dates_are_gmt="false") == 1, "the site is two hours ahead"
    assert await found(second + timedelta(hours=2)) == 0
    shown = await asking.get(f"/orders/{order.id}")
    assert shown["date_modified_gmt"] == second.isoformat()
    assert shown["date_modified"] == (second + timedelta(hours=2)).isoformat()
    for query in ({"modified_after": f"{second.isoformat()}Z"}, {"after": "yesterday"}, {"status": "sold"}):
        assert await asking.refused("parameter", "GET", "/orders", **query) == (400, "rest_invalid_param")
    assert [one["status"] for one in await asking.get("/orders", status="processing,on-hold")] == ["processing"]
    assert await asking.get("/orders", status="cancelled") == []


# Webhooks


@dataclass
class Receiver:
    status: int = 200
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    @property
    def notices(self) -> list[tuple[dict[str, str], bytes]]:
        """Without pings."""
        return [one for one in self.came if "x-wc-webhook-topic" in one[0]]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()

    async def take(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        receiver.came.append((headers, await request.read()))
        return web.Response(status=receiver.status, headers={"location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def subscribed(asking: Asking, receiver: Receiver, topic: str = "order.created") -> dict[str, Any]:
    """When it was pinged."""
    made = await asking.ask("POST", "/webhooks", {"topic": topic, "delivery_url": receiver.url, "secret": "s3cret"})
    assert made.status_code == 201
    await wait_until(lambda: came(receiver, 1))
    assert receiver.came.pop()[1] == f"webhook_id={made.json()['id']}".encode()
    return dict(made.json())


async def came(receiver: Receiver, count: int) -> bool:
    return len(receiver.came) >= count


async def counted(asking: Asking, count: int) -> bool:
    return asking.shop.notices.counts["sent"] == count


async def test_a_webhook_tells_of_what_it_is_for_and_signs(asking: Asking) -> None:
    async with asking.shop.notices, receiving() as receiver:
        made = await subscribed(asking, receiver)
        assert "secret" not in made
        order = asking.shop.selling.sell({"1": 1})
        asking.shop.selling.cancel(order.id)
        await wait_until(lambda: came(receiver, 1))
        ((headers, body),) = receiver.notices
        assert json.loads(body)["id"] == int(order.id)
        signed = hmac.digest(b"s3cret", body, hashlib.sha256)
        assert headers["x-wc-webhook-signature"] == base64.b64encode(signed).decode()
        assert (headers["x-wc-webhook-topic"], headers["x-wc-webhook-resource"]) == ("order.created", "order")
        assert headers["x-wc-webhook-id"] == str(made["id"])
        assert len(headers["x-wc-webhook-delivery-id"]) == 32


async def test_two_notices_of_one_second_share_their_delivery_id(asking: Asking) -> None:
    async with asking.shop.notices, receiving() as receiver:
        await subscribed(asking, receiver)

        async def shared() -> bool:
            """Two of one second, which may need a second try."""
            receiver.came.clear()
            for _ in range(2):
                asking.shop.selling.sell({"1": 1})
            await wait_until(lambda: came(receiver, 2))
            return len({headers["x-wc-webhook-delivery-id"] for headers, _ in receiver.notices}) == 1

        asking.shop.selling.set_by_hand("1", 100)
        await wait_until(shared)
        assert len({body for _, body in receiver.notices}) == 2


async def test_levels_are_told_as_products(asking: Asking) -> None:
    async with asking.shop.notices, receiving() as receiver:
        await subscribed(asking, receiver, "product.updated")
        asking.shop.selling.sell({"1": 2})
        await wait_until(lambda: came(receiver, 1))
        assert json.loads(receiver.notices[0][1])["stock_quantity"] == 3


async def test_a_webhook_switches_itself_off_and_keeps_its_count(asking: Asking) -> None:
    asking.shop.selling.set_by_hand("1", 100)
    async with asking.shop.notices, receiving() as receiver:
        made = await subscribed(asking, receiver)
        path = f"/webhooks/{made['id']}"
        receiver.status = 302
        sent = 0

        async def sell() -> str:
            nonlocal sent
            sent += 1
            asking.shop.selling.sell({"1": 1})
            await wait_until(lambda: counted(asking, sent))
            return str((await asking.get(path))["status"])

        assert await sell() == "active", "a redirect is a success, and not followed"
        receiver.status = 503
        assert [await sell() for _ in range(7)] == ["active"] * 6 + ["disabled"]
        assert len(receiver.notices) == 8, "none is sent again"
        asking.shop.selling.sell({"1": 1})
        assert [one["id"] for one in await asking.get("/webhooks", status="disabled")] == [made["id"]]
        await asking.ask("PUT", path, {"status": "active"})
        assert await sell() == "disabled", "once more, and it is off again"
        await asking.ask("PUT", path, {"status": "active"})
        receiver.status = 200
        assert await sell() == "active"
        receiver.status = 503
        assert await sell() == "active", "a success began the count anew"
        asking.shop.unsubscribe()
        assert (await asking.get(path))["status"] == "disabled", "as whoever looks sees"


async def test_webhooks_are_made_changed_and_deleted_as_documented(asking: Asking) -> None:
    async with asking.shop.notices, receiving() as receiver:
        good = {"topic": "order.updated", "delivery_url": receiver.url}
        for rule, wrong in (
            ("hook.topic", {"topic": "order.sold"}),
            ("hook.topic", {"topic": None}),
            ("hook.url", {"delivery_url": "ftp://shop.example/"}),
            ("hook.url", {"delivery_url": None}),
        ):
            status, code = await asking.refused(rule, "POST", "/webhooks", {**good, **wrong})
            assert (status, code.startswith("woocommerce_rest_shop_webhook_invalid_")) == (400, True)
        made = await subscribed(asking, receiver, "order.updated")
        path = f"/webhooks/{made['id']}"
        assert (await asking.ask("PUT", path, {"status": "paused"})).json()["status"] == "paused"
        order = asking.shop.selling.sell({"1": 1})
        asking.shop.selling.cancel(order.id)
        assert asking.shop.notices.counts["sent"] == 0
        assert (await asking.refused("hook.status", "PUT", path, {"status": "off"}))[0] == 400
        assert await asking.refused("hook.force", "DELETE", path) == (501, "woocommerce_rest_trash_not_supported")
        assert (await asking.ask("DELETE", path, force="true")).status_code == 200
        unknown = await asking.refused("hook.unknown", "GET", path)
        assert unknown == (400, "woocommerce_rest_shop_webhook_invalid_id")
        assert await asking.get("/webhooks") == []


def test_every_rule_says_where_it_comes_from_or_that_it_is_assumed() -> None:
    names = [rule.id for rule in RULES]
    assert len(set(names)) == len(names)
    assert {rule.id for rule in RULES if rule.source is None} == {one for one in names if one.startswith("assumed.")}
    assert all(rule.source is None or rule.source.startswith("https://") for rule in RULES)
