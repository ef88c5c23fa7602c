"""What a hub counts is what has happened."""

import json

import httpx

from hub.fanout.counts import ERROR_CODES
from hub.fanout.frames import websocket_frame
from tests.conftest import StartSystem
from tests.harness.api_keys import make_token
from tests.harness.metrics import await_applied, await_metric
from tests.harness.source import REFERENCE, code_names, rows, section
from tests.harness.stream import open_stream
from tests.hub.reader import client
from tests.hub.shop import Shop

BERLIN = make_token("stock:read:berlin")


async def test_what_clients_did_is_counted_once(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    hub = await system.start_hub()
    shop = Shop(system)
    await shop.open("berlin", "A", "B", on_hand=5)
    await await_applied(hub, await shop.level("berlin", "B"))
    async with open_stream(hub.stream, BERLIN) as stream:
        _, snapshot = await stream.subscribe("berlin", ["A", "B"])
        sold = await shop.sell("berlin", "A")
        await stream.expect("level")
        _, again = await stream.subscribe("berlin", ["A", "B"], since=snapshot["position"])
        assert again["recovered"] is True
        await stream.subscribe("berlin", ["A"], since={**snapshot["position"], "epoch": "another"})
        await stream.request("subscribe", location="paris")
        await stream.expect("error", code="forbidden")
        expected = {
            'connections_by_state{state="serving"}': 1,
            'upgrades_total{status="101"}': 1,
            "subscriptions": 3,
            "subscribed_total": 3,
            'resumes_total{recovered="true"}': 1,
            'resumes_total{recovered="false"}': 1,
            "snapshot_parts_total": 3,
            "snapshot_seconds_count": 3,
            "snapshot_levels_total": 2 + len(again["levels"]) + 1,
            'errors_total{code="forbidden"}': 1,
            "deliveries_total": 1,
            "writes_total": 1,
            "level_bytes_total": len(
                websocket_frame(json.dumps({"type": "level", **sold}, separators=(",", ":")).encode())
            ),
            "loads_total": 1,
            "loaded_levels_total": 2,
            "dirty_levels": 0,
            "draining": 0,
        }
        for name, value in expected.items():
            await await_metric(hub, f"stockwire_hub_{name}", value)


async def test_what_was_turned_down_is_counted_by_its_reason(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    hub = await system.start_hub()
    await system.await_fresh()  # before that it may miss the revocation on the broker, and hear of it from the ledger
    key = await system.key("short", "stock:read:berlin")
    async with (
        client(hub.url, "stock:read:berlin") as reader,
        httpx.AsyncClient(
            trust_env=False,
            verify=False,
        ) as http,
    ):
        assert (await reader.get("/v1/levels/paris/A")).status_code == 403
        assert (
            await reader.get("/v1/levels/berlin/A", headers={"Authorization": "Bearer no.token"})
        ).status_code == 401
        assert (await reader.get("/v1/nothing")).status_code == 404
        async with open_stream(hub.stream, key) as stream:
            await Shop(system).revoke(key)
            assert await stream.closed() == 4001
        for path, headers in (("/nowhere", {}), ("/v1/stream", {"Origin": "https://elsewhere.example"})):
            upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
            upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
            base = hub.stream.replace("ws://", "http://").removesuffix("/v1/stream")
            await http.get(base + path, headers={**upgrade, **headers})
        await await_metric(hub, 'stockwire_hub_upgrades_total{status="426"}', 0)
        await http.get(f"{base}/v1/stream")
        await http.post(f"{hub.admin}/drain")
        expected = {
            'request_seconds_count{method="GET",outcome="rejected",route="/v1/levels/{location}/{sku}"}': 2,
            'request_seconds_count{method="other",outcome="rejected",route="other"}': 1,
            'drain_seconds_count{kind="all"}': 1,
            'problems_total{type="forbidden"}': 1,
            'problems_total{type="unauthorized"}': 1,
            'problems_total{type="not-found"}': 1,
            "token_refusals_total": 1,
            "revocations_total": 1,
            'upgrades_total{status="404"}': 1,
            'upgrades_total{status="403"}': 1,
            'upgrades_total{status="426"}': 1,
            "draining": 1,
        }
        for name, value in expected.items():
            await await_metric(hub, f"stockwire_hub_{name}", value)


def test_every_error_code_is_counted_from_the_start() -> None:
    page = (REFERENCE / "protocol.md").read_text()
    assert set(ERROR_CODES) == {code_names(row[0])[0] for row in rows(section(page, "`error`"), "Code")}
