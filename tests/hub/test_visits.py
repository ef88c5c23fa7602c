"""Pages that watch without a token, on real hubs: what they see, what they may not, and who goes first."""

import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.conftest import StartSystem
from tests.harness.api_keys import make_token
from tests.harness.metrics import await_metric
from tests.harness.raw_socket import raw_socket
from tests.harness.servers import Server
from tests.harness.stream import SUBPROTOCOL, Stream, open_stream
from tests.hub.reader import client
from tests.hub.shop import Shop
from wire.messages import BRINGS_TOKEN

SHOP = "https://shop.example"
PAGE = {"Origin": SHOP}
EVENTS = "/v1/levels/stream?location=web&view=public"
OPEN: dict[str, Any] = {
    "STOCKWIRE_HUB_VISITORS": 1,
    "STOCKWIRE_HUB_PUBLIC_LOCATIONS": "web",
    "STOCKWIRE_ALLOWED_ORIGINS": SHOP,
}
NUMBERS = {"available", "on_hand", "reserved", "seq", "shard", "committed_at", "kind", "position"}


async def test_a_page_sees_what_the_public_sees_and_nothing_else(start_system: StartSystem) -> None:
    hub, shop = await _hub(start_system, STOCKWIRE_HUB_HEARTBEAT_S=0.2)
    async with open_stream(hub.stream, origin=SHOP) as page:
        connected = await _visit(page)
        assert connected["expires_at"] is None
        _, snapshot = await page.subscribe("web", ["A", "none"], view="public")
        assert [(view["sku"], view["quantity"]) for view in snapshot["levels"]] == [("A", "10+"), ("none", "0")]
        for _ in range(3):
            await shop.sell("web", "A")
        assert (await page.expect("view"))["quantity"] == "5+"
        assert await page.expect("heartbeat", fresh=True) == {
            "type": "heartbeat",
            "seq": {},
            "fresh": True,
            "lag_ms": 0,
        }
        told = json.dumps([message for message in page.seen if message["type"] != "heartbeat"])
        assert not any(f'"{name}"' in told for name in NUMBERS)
        for wanted in ({"location": "web"}, {"location": "back-room", "view": "public"}):
            request = await page.request("subscribe", **wanted)
            assert (await page.expect("error", id=request))["code"] == "forbidden"
        await await_metric(hub, 'stockwire_hub_visitors{port="stream"}', 1)
        await page.request("refresh", token=make_token("stock:read:web", "stock:public:web"))
        await page.expect("refreshed")
        await await_metric(hub, 'stockwire_hub_visitors{port="stream"}', 0)
        _, snapshot = await page.subscribe("web", ["A"])
        assert snapshot["levels"][0]["on_hand"] == 8


async def test_the_event_stream_is_open_to_pages_too(start_system: StartSystem) -> None:
    hub, _ = await _hub(start_system)
    async with client(hub.url) as anybody:
        async with anybody.stream("GET", EVENTS, headers=PAGE) as events:
            assert events.status_code == 200
            assert events.headers["Access-Control-Allow-Origin"] == SHOP
            await await_metric(hub, 'stockwire_hub_visitors{port="event_stream"}', 1)
            async for line in events.aiter_lines():
                if '"views"' in line:
                    break
        await await_metric(hub, 'stockwire_hub_visitors{port="event_stream"}', 0)
        for headers, path, status in (
            (PAGE, EVENTS.replace("web", "back-room"), 403),
            (PAGE, EVENTS.removesuffix("&view=public"), 403),
            ({}, EVENTS, 401),
            ({"Origin": "https://evil.example"}, EVENTS, 401),
            ({**PAGE, "Authorization": "Bearer nonsense"}, EVENTS, 401),
        ):
            assert (await anybody.get(path, headers=headers)).status_code == status, (headers, path)
        same = {"Sec-Fetch-Site": "same-origin"}
        async with anybody.stream("GET", EVENTS, headers=same) as events:
            assert events.status_code == 200


async def test_who_is_no_page_of_the_shop_needs_a_token_as_before(start_system: StartSystem) -> None:
    hub, _ = await _hub(start_system)
    async with open_stream(hub.stream) as till:
        await till.request("connect")
        assert await till.closed() == 4001
    with pytest.raises(InvalidStatus) as refused:
        async with open_stream(hub.stream, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_without_the_setting_nobody_comes_in(start_system: StartSystem) -> None:
    hub, _ = await _hub(start_system, STOCKWIRE_HUB_VISITORS=0)
    async with open_stream(hub.stream, origin=SHOP) as page:
        await page.request("connect")
        assert "STOCKWIRE_HUB_VISITORS" in (await page.expect("disconnect"))["reason"]
        assert await page.closed() == 4001
    async with client(hub.url) as anybody:
        assert (await anybody.get(EVENTS, headers=PAGE)).status_code == 401


async def test_visitors_give_way_to_keys_on_a_hub_that_is_full(start_system: StartSystem) -> None:
    hub, _ = await _hub(start_system, STOCKWIRE_HUB_CONNECTIONS_MAX=2, STOCKWIRE_HUB_VISITORS_MAX=1)
    token = make_token("stock:read:web")
    async with open_stream(hub.stream, token), open_stream(hub.stream, origin=SHOP) as page:
        await _visit(page)
        async with open_stream(hub.stream, origin=SHOP) as another:
            await another.request("connect")
            said = await another.expect("disconnect")
            assert (said["code"], said["reconnect"], said["after_ms"] >= 3_000) == (4100, True, True)
            assert await another.closed() == 4100
        async with open_stream(hub.stream) as till:
            await till.authenticate(token)
            assert (await page.expect("disconnect"))["after_ms"] >= 3_000
            assert await page.closed() == 4100
            await till.subscribe("web", ["A"])
            await await_metric(hub, "stockwire_hub_connections", 2)
            async with open_stream(hub.stream) as too_many:
                assert await too_many.closed() == 4100
    await await_metric(hub, 'stockwire_hub_visitors_turned_away_total{reason="gave_way"}', 1)
    await await_metric(hub, 'stockwire_hub_visitors_turned_away_total{reason="places"}', 1)


async def test_an_event_stream_of_a_visitor_gives_way_to_one_with_a_key(start_system: StartSystem) -> None:
    hub, _ = await _hub(start_system, STOCKWIRE_HUB_CONNECTIONS_MAX=2, STOCKWIRE_HUB_VISITORS_MAX=1)
    own = "/v1/levels/stream?location=web"
    async with (
        client(hub.url) as anybody,
        client(hub.url, "stock:read:web") as till,
        anybody.stream("GET", EVENTS, headers=PAGE) as page,
        till.stream("GET", own) as first,
    ):
        assert (page.status_code, first.status_code) == (200, 200)
        async with till.stream("GET", own) as second:
            assert second.status_code == 200
            lines = [line async for line in page.aiter_lines()]
            assert any('"code":4100' in line for line in lines)
            async with raw_socket(hub.url) as third:
                status, headers = await third.handshake(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n")
                assert (status, "retry-after" in headers) == (503, True), "all have keys"
    await await_metric(hub, 'stockwire_hub_visitors_turned_away_total{reason="gave_way"}', 1)


async def test_a_visitor_has_its_own_limits(start_system: StartSystem) -> None:
    hub, _ = await _hub(
        start_system, STOCKWIRE_HUB_VISITOR_SUBSCRIPTIONS_MAX=1, STOCKWIRE_HUB_VISITOR_MESSAGES_PER_MINUTE=9
    )
    async with open_stream(hub.stream, origin=SHOP) as page:
        await _visit(page)
        await page.subscribe("web", ["A"], view="public")
        request = await page.request("subscribe", location="web", skus=["A"], view="public")
        assert (await page.expect("error", id=request))["code"] == "limit"
        for _ in range(12):
            await page.request("unsubscribe", sub=99)
        assert await page.closed() == 4102
    async with open_stream(hub.stream, make_token("stock:read:web")) as till:
        for _ in range(12):
            request = await till.request("unsubscribe", sub=99)
            await till.expect("error", id=request)


async def test_addresses_are_those_that_a_named_proxy_tells(start_system: StartSystem) -> None:
    hub, _ = await _hub(
        start_system,
        STOCKWIRE_HUB_VISITORS_PER_ADDRESS_MAX=1,
        STOCKWIRE_HUB_VISITORS_PER_ADDRESS_PER_MINUTE=2,
        STOCKWIRE_TRUSTED_PROXIES="127.0.0.1",
    )
    one, other = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2"))
    async with open_stream(hub.stream, origin=SHOP, additional_headers=one) as page:
        await _visit(page)
        async with open_stream(hub.stream, origin=SHOP, additional_headers=one) as second:
            await second.request("connect")
            said = await second.expect("disconnect")
            assert (said["code"], "address" in said["reason"]) == (4100, True)
        async with open_stream(hub.stream, origin=SHOP, additional_headers=other) as elsewhere:
            await _visit(elsewhere)
        async with client(hub.url) as anybody:
            answer = await anybody.get(EVENTS, headers={**PAGE, **one})
            assert (answer.status_code, answer.json()["type"]) == (429, "crowded")
    await await_metric(hub, 'stockwire_hub_visitors{port="stream"}', 0)
    async with client(hub.url) as anybody:
        async with anybody.stream("GET", EVENTS, headers={**PAGE, **one}) as events:
            assert events.status_code == 200
        await await_metric(hub, 'stockwire_hub_visitors{port="event_stream"}', 0)
        answer = await anybody.get(EVENTS, headers={**PAGE, **one})
        assert (answer.status_code, answer.json()["type"]) == (429, "rate-limited")
        assert int(answer.headers["Retry-After"]) >= 3


async def test_those_who_are_turned_away_read_what_caches_keep(start_system: StartSystem) -> None:
    hub, _ = await _hub(start_system, STOCKWIRE_HUB_VISITORS_PER_MINUTE=1)
    async with client(hub.url) as anybody:
        async with anybody.stream("GET", EVENTS, headers=PAGE):
            pass
        refused = await anybody.get(EVENTS, headers=PAGE)
        assert (refused.status_code, refused.json()["type"]) == (503, "overloaded")
        assert int(refused.headers["Retry-After"]) >= 3
        assert refused.headers["Access-Control-Allow-Origin"] == SHOP
        answer = await anybody.get("/v1/availability/web/A", headers=PAGE)
        assert (answer.status_code, answer.json()["quantity"]) == (200, "10+")
        assert answer.headers["Cache-Control"].startswith("public, max-age=")
        exposed = answer.headers["Access-Control-Expose-Headers"]
        assert {"ETag", "Retry-After", "Stockwire-Fresh"} <= {name.strip() for name in exposed.split(",")}


async def test_a_flood_of_event_streams_takes_nothing_from_the_rate_of_those_with_keys(
    start_system: StartSystem,
) -> None:
    hub, _ = await _hub(
        start_system,
        STOCKWIRE_HUB_VISITORS_PER_MINUTE=1,
        STOCKWIRE_HUB_HANDSHAKES_PER_S=1,
        STOCKWIRE_HUB_HANDSHAKES_BURST=1,
    )
    async with client(hub.url) as anybody, client(hub.url, "stock:read:web") as till:
        async with anybody.stream("GET", EVENTS, headers=PAGE):
            pass
        for _ in range(20):
            assert (await anybody.get(EVENTS, headers=PAGE)).status_code == 503
        async with till.stream("GET", "/v1/levels/stream?location=web") as events:
            assert events.status_code == 200


async def test_pages_that_flood_the_stream_leave_handshakes_to_those_with_keys(start_system: StartSystem) -> None:
    hub, _ = await _hub(start_system, STOCKWIRE_HUB_HANDSHAKES_PER_S=1, STOCKWIRE_HUB_HANDSHAKES_BURST=20)
    token = make_token("stock:read:web")
    page: dict[str, Any] = {"origin": SHOP, "subprotocols": [SUBPROTOCOL, BRINGS_TOKEN]}
    app: dict[str, Any] = {"origin": SHOP, "additional_headers": {"Authorization": f"Bearer {token}"}}
    for options in ({}, app, page):
        await _until_refused(hub)
        async with open_stream(hub.stream, token, **options) as stream:
            await stream.subscribe("web", ["A"])
    await _until_refused(hub)
    async with (
        client(hub.url, "stock:read:web") as till,
        till.stream("GET", "/v1/levels/stream?location=web") as events,
    ):
        assert events.status_code == 200
    await await_metric(hub, 'stockwire_hub_turned_away_total{limit="rate"}', 4)
    await await_metric(hub, 'stockwire_hub_upgrades_total{status="503"}', 4)


async def test_a_page_that_says_it_brings_a_token_is_no_visitor(start_system: StartSystem) -> None:
    hub, _ = await _hub(start_system)
    async with open_stream(hub.stream, origin=SHOP, subprotocols=[SUBPROTOCOL, BRINGS_TOKEN]) as page:
        assert page.connection.subprotocol == SUBPROTOCOL
        await page.request("connect")
        assert await page.closed() == 4001


async def _until_refused(hub: Server) -> None:
    """Pages come, until the hub takes no more of them."""
    while True:
        async with raw_socket(hub.stream) as page:
            if await page.upgrade(hub.stream, PAGE) == 503:
                return


async def _hub(start_system: StartSystem, **settings: Any) -> tuple[Server, Shop]:
    system = await start_system(hubs=0)
    hub = await system.start_hub(**{**OPEN, **settings})
    shop = Shop(system)
    await shop.open("web", "A", on_hand=11)
    await shop.open("back-room", "A", on_hand=500)
    return hub, shop


async def _visit(page: Stream) -> dict[str, object]:
    request = await page.request("connect")
    return await page.expect("connected", id=request)
