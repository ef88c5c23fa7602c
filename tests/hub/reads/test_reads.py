"""Levels over HTTP from a hub's memory, with their freshness stated, and as an event stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from hub.fanout.fanout import Bounds
from hub.feed.feed import Feed
from hub.feed.ledger_client import LedgerClient
from hub.reads.reads import Reads
from tests.conftest import StartSystem
from tests.hub.in_memory import make_fanout, parts_of_a_lone_feed
from tests.hub.reader import client
from tests.hub.shop import Shop
from tests.simulation.history import History, read_level


async def test_reads_equal_the_ledger_and_say_how_fresh_they_are(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    shop = Shop(system)
    await shop.open("berlin", "A", "B", "C", on_hand=5)
    await shop.open("paris", "A", on_hand=7)
    async with client(system.hubs[0].url, "stock:read:*") as hub:
        answer = await hub.get("/v1/levels/berlin/A")
        freshness = ("fresh", "lag_ms")
        level = {name: value for name, value in answer.json().items() if name not in freshness}
        assert level == await shop.level("berlin", "A")
        assert set(freshness) < set(answer.json())
        assert answer.headers["Stockwire-Fresh"] in ("true", "false")
        again = await hub.get("/v1/levels/berlin/A", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.headers["ETag"]) == (304, answer.headers["ETag"])
        assert (await hub.get("/v1/levels/nowhere/X")).json()["version"] == 0

        keys = [["paris", "A"], ["berlin", "nothing"], ["berlin", "A"]]
        found = (await hub.post("/v1/levels/query", json={"keys": keys})).json()
        assert [(level["location"], level["on_hand"]) for level in found["levels"]] == [
            ("paris", 7),
            ("berlin", 0),
            ("berlin", 5),
        ]
        assert await _pages(hub, "/v1/levels?location=berlin&limit=2") == [("berlin", sku) for sku in "ABC"]
        everything = [("berlin", "A"), ("paris", "A"), ("berlin", "B"), ("berlin", "C")]
        assert await _pages(hub, "/v1/levels?limit=2") == everything
        await shop.open("berlin", "AB", on_hand=1)
        while len(pages := await _pages(hub, "/v1/levels?limit=2")) < 5:
            pass
        assert pages == [*everything[:2], ("berlin", "AB"), *everything[2:]]


async def test_reads_that_are_refused(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    await Shop(system).open("secret", "A", on_hand=1)
    keys = [["berlin", "A"]] * 1_001
    cases: list[tuple[str, str, dict[str, Any], int, str]] = [
        ("GET", "/v1/levels/secret/A", {}, 403, "forbidden"),
        ("GET", "/v1/levels/unknown/A", {}, 403, "forbidden"),
        ("GET", "/v1/levels", {}, 403, "forbidden"),
        ("GET", "/v1/levels?location=secret", {}, 403, "forbidden"),
        ("GET", "/v1/levels/stream?location=secret", {}, 403, "forbidden"),
        ("GET", "/v1/levels/stream", {}, 422, "invalid"),
        ("GET", "/v1/levels/stream?location=berlin&since=x", {}, 400, "invalid"),
        ("GET", "/v1/levels/berlin/A?x=1", {}, 400, "invalid"),
        ("GET", "/v1/levels?location=berlin&limit=0", {}, 400, "invalid"),
        ("GET", "/v1/levels?location=berlin&after=%21", {}, 400, "invalid"),
        ("GET", "/v1/levels?location=berlin&location=berlin", {}, 400, "invalid"),
        ("GET", "/v1/levels/a%20b/A", {}, 400, "invalid"),
        ("POST", "/v1/levels/query", {"json": {"keys": [["secret", "A"]]}}, 403, "forbidden"),
        ("POST", "/v1/levels/query", {"json": {"keys": [["berlin"]]}}, 422, "invalid"),
        ("POST", "/v1/levels/query", {"json": {"key": []}}, 422, "invalid"),
        ("POST", "/v1/levels/query", {"json": {"keys": keys}}, 422, "invalid"),
        ("POST", "/v1/levels/query", {"content": b"{"}, 400, "invalid"),
        ("POST", "/v1/levels/query", {"content": b" " * 300_000}, 413, "too-large"),
        ("GET", "/v1/nothing", {}, 404, "not-found"),
        ("DELETE", "/v1/levels", {}, 405, "about:blank"),
    ]
    async with client(system.hubs[0].url, "stock:read:berlin") as hub, client(system.hubs[0].url) as anonymous:
        for method, path, content, status, type_ in cases:
            answer = await hub.request(method, path, **content)
            assert (answer.status_code, answer.json()["type"]) == (status, type_), (method, path, answer.text)
            assert answer.headers["Content-Type"] == "application/problem+json"
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
            answer = await anonymous.get("/v1/levels/berlin/A", headers=headers)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert (await hub.get("/v1/levels/berlin/A")).status_code == 200
    async with client(system.hubs[0].url, "feed") as other:
        for path in ("/v1/levels/berlin/A", "/v1/levels/stream?location=berlin"):
            answer = await other.get(path)
            assert (answer.status_code, answer.json()["type"]) == (403, "forbidden"), answer.text


async def test_an_event_stream_speaks_the_protocol_and_resumes(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    hub = await system.start_hub(STOCKWIRE_HUB_HEARTBEAT_S=0.2)
    shop = Shop(system)
    await shop.open("berlin", "A", "B", on_hand=5)
    async with client(hub.url, "stock:read:berlin") as reader:
        async with event_stream(reader, "/v1/levels/stream?location=berlin&sku=A&sku=B") as events:
            for type_ in ("connected", "subscribed", "snapshot"):
                await _next(events, type_)
            sold = await shop.sell("berlin", "A")
            assert (await _next(events, "level"))[1] == {"type": "level", **sold}
            position, heartbeat = await _next(events, "heartbeat")
            while heartbeat["seq"].get(str(sold["shard"]), 0) < sold["seq"]:
                position, heartbeat = await _next(events, "heartbeat")
        await shop.sell("berlin", "B")
        async with event_stream(reader, "/v1/levels/stream?location=berlin&sku=B&sku=A", position) as events:
            assert (await _next(events, "subscribed"))[1]["recovered"] is True
            levels = (await _next(events, "snapshot"))[1]["levels"] or [(await _next(events, "level"))[1]]
            assert [level["sku"] for level in levels] == ["B"]
            hub.terminate()
            end = (await _next(events, "disconnect"))[1]
            assert (end["code"], end["reconnect"]) == (1012, True)
            assert [event async for event in events] == []
    assert await hub.wait() == 0


@asynccontextmanager
async def event_stream(
    hub: httpx.AsyncClient, path: str, last_event_id: str = ""
) -> AsyncIterator[AsyncIterator[tuple[str, dict[str, Any]]]]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    async with hub.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield _events(response)


async def _events(response: httpx.Response) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    event_id = ""
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "id":
            event_id = value
        elif name == "data":
            yield event_id, json.loads(value)


async def _next(events: AsyncIterator[tuple[str, dict[str, Any]]], type_: str) -> tuple[str, dict[str, Any]]:
    async for event in events:
        if event[1]["type"] == type_:
            return event
    raise AssertionError(f"the stream has ended without {type_}")


async def _pages(hub: httpx.AsyncClient, path: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    after = ""
    while True:
        answer = await hub.get(path + (f"&after={after}" if after else ""))
        assert answer.status_code == 200, answer.text
        found += [(level["location"], level["sku"]) for level in answer.json()["levels"]]
        if not (after := answer.json()["next"] or ""):
            return found


async def test_a_page_of_everything_lacks_nothing_when_a_shard_is_let_go_meanwhile() -> None:
    """Its shards are complete at different times, and a hub lets go of what nobody watches."""
    history = History(shards=2)
    for location in ("berlin", "paris"):
        history.commit(location, "A")
    fanout = make_fanout(history, bounds=Bounds(1_000, 0))
    async with LedgerClient([], "no key") as ledger:
        feed = Feed(parts_of_a_lone_feed(ledger))
        feed.fanout = fanout
        reading = asyncio.create_task(Reads(feed, lambda: None).page(None, ("", ""), 10))
        await asyncio.sleep(0)
        for shard in range(2):
            states = [read_level(level) for level in history.at(None) if level.shard == shard]
            fanout.page([fanout.levels.areas[shard]], states, history.heads(), fanout.shards.lasts(), last=True)
            fanout.levels.trim()
        assert [level.location for level in await reading] == ["berlin", "paris"]
        assert not fanout.levels.areas[0].watchers
        fanout.levels.trim()
        assert fanout.levels.count == 0
