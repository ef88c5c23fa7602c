"""Twenty people who look cost ledger and hub what one costs: counted in connections and requests, not in time."""

import asyncio
import json
import time
from contextlib import AsyncExitStack

import pytest

from console.following.ledger import SAME_FOR_S
from console.watched import orders
from tests.console.running import Viewer, running_console
from tests.harness.metrics import metric_of
from tests.harness.system import System
from tests.hub.shop import Shop

VIEWERS = 20
TOPICS = ("launch", "stock", "log", "level", "holds")
ANSWERS = 3
A_ROUND = 4
"""Requests of all topics within SAME_FOR_S: the level, its events and its holds, and the page of holds."""


async def test_twenty_viewers_are_one_subscription_and_ask_the_ledger_no_more_than_one(
    stockwire_system: System,
) -> None:
    shop = Shop(stockwire_system)
    await shop.open("berlin", "A", on_hand=100)
    async with running_console(stockwire_system) as console, AsyncExitStack() as stack:
        http = await stack.enter_async_context(console.signed_in())
        first = await stack.enter_async_context(console.viewer(http))
        await first.until("stock", lambda data: data["levels"] == 1)
        others = [await stack.enter_async_context(console.viewer(http)) for _ in range(VIEWERS)]
        began, before = time.monotonic(), console.console.watch.ledger.requests
        await asyncio.gather(*(look(viewer) for viewer in others))
        asked = console.console.watch.ledger.requests - before
        rounds = (time.monotonic() - began) / SAME_FOR_S + 1
        polls = 2 * len(console.console.watch.log.heads)  # of the log, which wait, and of sessions, every 2 s
        assert asked <= A_ROUND * rounds + polls + rounds
        assert asked < VIEWERS * len(TOPICS) or rounds > VIEWERS
        assert sum([await metric_of(hub, "stockwire_hub_connections") for hub in stockwire_system.hubs]) == 1
        assert sum([await metric_of(hub, "stockwire_hub_subscriptions") for hub in stockwire_system.hubs]) == 1
        await shop.sell("berlin", "A")
        for viewer in others:
            await viewer.until("stock", lambda data: data["rows"][0]["available"] == 99)


async def test_who_has_gone_back_in_the_log_asks_the_ledger_once_and_not_with_every_answer(
    shared_system: System, unique_name: str
) -> None:
    shop = Shop(shared_system)
    await shop.open(unique_name, "A", on_hand=100)
    await shop.sell(unique_name, "A")
    async with running_console(shared_system) as console, console.signed_in() as http, console.viewer(http) as viewer:
        newest = await viewer.until("log", lambda data: data["next"] is not None, location=unique_name, limit=1)
        asked, ledger = list[int](), console.console.watch.ledger
        moments = set[str]()
        while len(moments) < 12:
            back = (await viewer.show("log", location=unique_name, before=newest["next"]))["data"]
            asked.append(ledger.requests)
            moments.add(back["at"])
        assert [event["kind"] for event in back["events"]] == ["receipt"]
        polls = 2 * len(console.console.watch.log.heads) + 2
        assert asked[-1] - asked[0] <= polls


async def look(viewer: Viewer) -> None:
    for topic in TOPICS:
        arguments = {"sku": "A", "location": "berlin"} if topic == "level" else {}
        for _ in range(ANSWERS):
            assert "data" in await viewer.show(topic, **arguments)


async def test_who_asks_in_a_loop_and_reads_nothing_holds_up_nobody(shared_system: System) -> None:
    async with AsyncExitStack() as stack:
        console = await stack.enter_async_context(running_console(shared_system))
        http = await stack.enter_async_context(console.signed_in())
        rude, other = [await stack.enter_async_context(console.viewer(http)) for _ in range(2)]
        for number in range(2_000):
            await rude.socket.send(json.dumps({"id": number, "show": "stock", "args": {"limit": 200}}))
        for _ in range(ANSWERS):
            assert "data" in await other.show("nodes")


async def test_who_finds_no_place_for_another_search_is_told_and_gets_one_later(
    shared_system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "ORDERS_MAX", 1)
    monkeypatch.setattr(orders, "LOOKED_AT_S", 3_600.0)
    async with running_console(shared_system) as console, console.signed_in() as http, console.viewer(http) as viewer:
        # the first levels come as a whole, after which nobody looks at anything yet
        await viewer.until("stock", lambda data: data["state"] == "live", search="a")
        refused = await viewer.show("stock", search="b")
        assert (refused["error"]["type"], refused["error"]["status"]) == ("overloaded", 503)
        monkeypatch.setattr(orders, "LOOKED_AT_S", 0.0)
        assert "data" in await viewer.show("stock", search="b"), "nobody looks at the other one any more"


async def test_a_message_that_is_none_ends_the_connection_and_a_senseless_one_does_not(shared_system: System) -> None:
    async with running_console(shared_system) as console, console.signed_in() as http, console.viewer(http) as viewer:
        assert (await viewer.show("everything"))["error"]["type"] == "invalid"
        assert (await viewer.show("stock", limt=5))["error"]["detail"] == "limt: there is no such argument"
        assert (await viewer.show("level", sku="A"))["error"]["field"] == "location"
        assert "data" in await viewer.show("nodes")
        await viewer.socket.send("[1")
        assert await viewer.closed() == 4002
