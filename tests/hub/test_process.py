"""A hub's life: it starts without the others, survives them, drains, and its workers go with their parent."""

import asyncio
import json
import os
from contextlib import AsyncExitStack
from typing import Any

import httpx
import psutil
import pytest

from hub.endings import MOVED_AWAY_MAX_MS
from tests.conftest import StartSystem
from tests.harness.api_keys import TOKEN_SECRET, make_token
from tests.harness.metrics import await_metric
from tests.harness.processes import hub_process
from tests.harness.raw_socket import raw_socket
from tests.harness.servers import Server
from tests.harness.stream import open_stream
from tests.harness.system import ProcessSystem, System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.hub.reader import client
from tests.hub.shop import Shop

READER = make_token("stock:read:*")
AUTHENTICATE_S, SLOW_S = 6, 1
"""The machine may stand still between them."""
SETTINGS = {
    "STOCKWIRE_LEDGER_URLS": "http://127.0.0.1:1",
    "STOCKWIRE_HUB_KEY": "sw_x_y",
    "STOCKWIRE_REDIS_URL": "redis://127.0.0.1:1",
    "STOCKWIRE_TOKEN_SECRET": TOKEN_SECRET,
    "STOCKWIRE_BEHIND_PROXY": "1",
}


async def test_a_hub_starts_before_the_ledger_and_the_broker_and_recovers(system: System) -> None:
    """Until then it is not ready, and asks who connects to come back."""
    await system.start_ledger()
    url = system.ledger_url
    await system.ledgers[0].stop()
    settings = {"STOCKWIRE_HUB_AUTHENTICATE_S": AUTHENTICATE_S, "STOCKWIRE_REDIS_URL": "redis://127.0.0.1:1/0"}
    hub = await system.start_hub(ledger_urls=[url], **settings)
    assert (await _get(hub, "/healthz")).status_code == 200
    assert (await _get(hub, "/readyz")).status_code == 503
    async with open_stream(hub.stream) as stream, raw_socket(hub.stream) as slow:
        await stream.request("connect", token=READER)
        await asyncio.sleep(SLOW_S)  # to be slow takes time
        assert await slow.upgrade(hub.stream) == 101
        assert await stream.closed() == 1012
        assert stream.seen[-1]["after_ms"] > 0
        assert await slow.closed() == 1012, "whoever waits for the hub is not late"
    await system.ledgers[0].restart()
    await wait_until(lambda: _is_ready(hub), what="ready with a ledger, without the broker")
    await Shop(system).open("berlin", "A", on_hand=3)
    async with open_stream(hub.stream, READER) as stream:
        _, snapshot = await stream.subscribe("berlin")
        assert [level["on_hand"] for level in snapshot["levels"]] == [3]
        heartbeat = await stream.expect("heartbeat")
        assert heartbeat["fresh"] is False


async def test_without_the_broker_the_log_is_followed(system: System) -> None:
    """Within 2 s, which ``test_feed_times`` judges on a virtual clock."""
    await system.start_ledger()
    shop = Shop(system)
    await shop.open("berlin", "A", on_hand=50)
    hub = await system.start_hub(STOCKWIRE_REDIS_URL="redis://127.0.0.1:1/0", STOCKWIRE_HUB_HEARTBEAT_S=1)
    async with open_stream(hub.stream, READER) as stream:
        await stream.subscribe("berlin", ["A"])
        sold = await shop.sell("berlin", "A")
        await stream.expect("level", version=sold["version"])
        assert (await stream.expect("heartbeat"))["fresh"] is False


async def test_a_fresh_hub_says_so_and_says_when_it_is_not(process_system: ProcessSystem) -> None:
    """A ledger that stops beating is noticed in 2 s (``test_feed_times``), and told between two heartbeats."""
    system = await process_system.start(hubs=0)
    hub = await system.start_hub(STOCKWIRE_HUB_HEARTBEAT_S=30)
    await system.await_fresh()
    async with open_stream(hub.stream, READER) as stream:
        await stream.expect("heartbeat", fresh=True)
        await stream.subscribe("berlin", ["A"])
        system.ledgers[0].pause()
        stale = await stream.expect("heartbeat", fresh=False)
        assert stale["lag_ms"] >= 2_000
        system.ledgers[0].resume()
        await stream.expect("heartbeat", fresh=True)


async def test_a_drain_tells_everybody_to_come_back_and_ends(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    hub = system.hubs[0]
    async with open_stream(hub.stream, READER) as one, open_stream(hub.stream, READER) as two:
        async with httpx.AsyncClient(
            trust_env=False,
            verify=False,
        ) as client:
            assert (await client.post(f"{hub.admin}/drain")).status_code == 202
        for stream in (one, two):
            assert await stream.closed() == 1012
            last = stream.seen[-1]
            assert (last["type"], last["code"], last["reconnect"]) == ("disconnect", 1012, True)
    assert (await _get(hub, "/readyz")).status_code == 503
    assert hub.running
    hub.terminate()
    assert await hub.wait(15) == 0


async def test_a_share_of_the_clients_is_sent_elsewhere_and_the_hub_goes_on(start_system: StartSystem) -> None:
    """WebSockets and event streams, each told as in a drain. Who drains meanwhile sends everybody."""
    system = await start_system(hubs=0)
    hub = await system.start_hub(STOCKWIRE_HUB_DRAIN_S=0.5)
    async with AsyncExitStack() as opened, client(hub.url, "stock:read:*") as reader:
        admin = await opened.enter_async_context(httpx.AsyncClient(base_url=hub.admin, trust_env=False, verify=False))
        streams = [await opened.enter_async_context(open_stream(hub.stream, READER)) for _ in range(3)]
        events = await opened.enter_async_context(reader.stream("GET", "/v1/levels/stream?location=berlin&sku=A"))
        await await_metric(hub, "stockwire_hub_event_streams", 1)
        answer = await admin.post("/drain?share=1")
        assert (answer.status_code, answer.json()) == (202, {"moving": 4})
        for stream in streams:
            assert await stream.closed() == 1012
            last = stream.seen[-1]
            assert (last["type"], last["code"], last["reconnect"]) == ("disconnect", 1012, True)
            assert last["after_ms"] <= MOVED_AWAY_MAX_MS
        told = await _told(events)
        assert (told[-1]["type"], told[-1]["code"]) == ("disconnect", 1012)
        assert (await admin.get("/readyz")).status_code == 200
        for metric, value in (('moved_total{reason="share"}', 4), ('moved_total{reason="age"}', 0), ("draining", 0)):
            await await_metric(hub, f"stockwire_hub_{metric}", value)
        await await_metric(hub, 'stockwire_hub_closes_total{code="1012"}', 3)
        await opened.enter_async_context(open_stream(hub.stream, READER))


async def test_a_share_is_refused_while_another_one_or_everybody_is_sent_away(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    hub = await system.start_hub(STOCKWIRE_HUB_DRAIN_S=13)  # one alone goes at the end of it
    async with (
        open_stream(hub.stream, READER) as stream,
        httpx.AsyncClient(base_url=hub.admin, trust_env=False, verify=False) as admin,
    ):
        for _ in range(2):  # what was begun ends with an ``undrain``
            assert (await admin.post("/drain?share=1")).json() == {"moving": 1}
            refused = await admin.post("/drain?share=1")
            assert (refused.status_code, refused.json()["type"]) == (503, "unavailable")
            assert 1 <= int(refused.headers["retry-after"]) <= 13
            assert refused.json()["detail"] == "another share is being moved, 1 of its clients are still here"
            assert (await admin.post("/undrain")).status_code == 202
            await await_metric(hub, "stockwire_hub_moving", 0)
        assert (await admin.post("/drain")).status_code == 202
        assert await stream.closed() == 1012
        refused = await admin.post("/drain?share=0.5")
        assert (refused.status_code, refused.json()["detail"].partition(":")[0]) == (503, "this hub is draining")


async def test_a_connection_and_an_event_stream_end_of_age(start_system: StartSystem) -> None:
    """When exactly ``entry/test_moves.py`` judges on a virtual clock."""
    system = await start_system(hubs=0)
    hub = await system.start_hub(
        STOCKWIRE_HUB_HEARTBEAT_S=0.1, STOCKWIRE_HUB_DRAIN_S=0.1, STOCKWIRE_HUB_CONNECTION_AGE_S=0.4
    )
    key = {"Authorization": f"Bearer {READER}"}
    async with open_stream(hub.stream, additional_headers=key) as stream, client(hub.url, "stock:read:*") as reader:
        async with reader.stream("GET", "/v1/levels/stream?location=berlin&sku=A") as events:
            told = await _told(events)
        assert await stream.closed() == 1012
        for last in (stream.seen[-1], told[-1]):
            assert (last["type"], last["code"], last["reconnect"]) == ("disconnect", 1012, True)
            assert "0.4 s at most" in last["reason"]
        await await_metric(hub, 'stockwire_hub_moved_total{reason="age"}', 2)


async def test_a_handshake_that_was_begun_before_a_drain_is_sent_elsewhere(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    hub = system.hubs[0]
    async with raw_socket(hub.stream) as late, httpx.AsyncClient(trust_env=False, verify=False) as client:
        await await_metric(hub, "stockwire_hub_unauthenticated", 1)  # it has been accepted
        assert (await client.post(f"{hub.admin}/drain")).status_code == 202
        assert (await client.get(f"{hub.admin}/readyz")).status_code == 503
        assert await late.upgrade(hub.stream, {"Authorization": f"Bearer {READER}"}) == 503


async def test_a_hub_that_was_drained_takes_clients_again_when_it_is_told_to(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    hub = system.hubs[0]
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        async with open_stream(hub.stream, READER) as sent_away:
            assert (await client.post(f"{hub.admin}/drain")).status_code == 202
            assert await sent_away.closed() == 1012
        for _ in range(2):  # safe twice, and where there is nothing to undo
            assert (await client.post(f"{hub.admin}/undrain")).status_code == 202
        assert (await client.get(f"{hub.admin}/readyz")).status_code == 200
        await await_metric(hub, "stockwire_hub_draining", 0)
        async with open_stream(hub.stream, READER) as back:
            assert (await client.post(f"{hub.admin}/drain")).status_code == 202
            assert await back.closed() == 1012
    hub.terminate()
    assert await hub.wait(15) == 0


async def test_clients_that_come_after_an_undrain_are_not_cut_off_with_those_before(start_system: StartSystem) -> None:
    """A drain waits for who does not answer the close: whoever came since then must outlive its end."""
    system = await start_system(hubs=1)
    hub = system.hubs[0]
    async with raw_socket(hub.stream) as rude, httpx.AsyncClient(trust_env=False, verify=False) as client:
        assert await rude.upgrade(hub.stream, {"Authorization": f"Bearer {READER}"}) == 101
        for _ in range(10):
            assert (await client.post(f"{hub.admin}/drain")).status_code == 202
            assert (await client.post(f"{hub.admin}/undrain")).status_code == 202
        async with open_stream(hub.stream, READER) as newcomer:
            await await_metric(hub, "stockwire_hub_cut_off_total", 1)  # the drain would have ended by now
            await newcomer.subscribe("berlin", ["A"])


async def test_a_client_that_ignores_the_close_does_not_hold_up_the_end(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    hub = system.hubs[0]
    async with raw_socket(hub.stream) as rude:
        assert await rude.upgrade(hub.stream, {"Authorization": f"Bearer {READER}"}) == 101
        hub.terminate()
        assert await hub.wait(15) == 0


async def test_workers_share_the_ports_restart_and_go_with_their_parent(process_system: ProcessSystem) -> None:
    system = await process_system.start(hubs=0)
    shop = Shop(system)
    await shop.open("berlin", "A", on_hand=50)
    hub = await system.start_hub("--workers", "2")
    nodes: set[str] = set()
    async with asyncio.timeout(PATIENCE_S):
        while len(nodes) < 2:
            async with open_stream(hub.stream) as stream:
                nodes.add((await stream.authenticate(READER))["node"])
    workers: list[dict[str, Any]] = hub.ready["workers"]
    assert len({worker["admin"] for worker in workers}) == 2
    os.kill(workers[0]["pid"], 9)
    parent = psutil.Process(hub.pid)
    await wait_until(lambda: _has_others(parent, workers[0]["pid"]), what="the worker is started again")
    async with open_stream(hub.stream, READER) as stream:
        await stream.subscribe("berlin", ["A"])
        await shop.sell("berlin", "A")
        await stream.expect("level")
    children = parent.children()
    hub.kill()
    await wait_until(lambda: _all_gone(children), what="workers end with their parent")


@pytest.mark.usefixtures("processes")
async def test_a_start_that_cannot_work_is_refused_in_one_line(system: System) -> None:
    """A setting that is read, and two that are only tried; which they are, ``test_senseless_settings`` says."""
    await system.start_ledger()
    cases: list[tuple[str, str | None]] = [
        ("STOCKWIRE_HUB_KEY", None),
        ("STOCKWIRE_HUB_STREAM_PORT", system.ledgers[0].url.rsplit(":")[-1]),
        ("STOCKWIRE_HUB_ADMIN_HOST", "192.0.2.1"),
    ]
    for name, value in cases:
        hub = hub_process(f"nonsense-{name}", system.folder, {**SETTINGS, name: value})
        hub.launch()
        assert await hub.wait() == 78, (name, hub.stderr())
        assert hub.stderr().startswith("stockwire: ")
        assert name in hub.stderr()
        assert len(hub.stderr().splitlines()) == 1


async def _told(events: httpx.Response) -> list[dict[str, Any]]:
    """All messages of an event stream that ends."""
    return [json.loads(line.removeprefix("data:")) async for line in events.aiter_lines() if line.startswith("data:")]


async def _get(hub: Server, path: str) -> httpx.Response:
    async with httpx.AsyncClient(
        trust_env=False,
        verify=False,
    ) as client:
        return await client.get(hub.admin + path)


async def _is_ready(hub: Server) -> bool:
    return (await _get(hub, "/readyz")).status_code == 200


async def _has_others(parent: psutil.Process, pid: int) -> bool:
    return len({child.pid for child in parent.children()} - {pid}) == 2


async def _all_gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)
