"""Pages are built against `console/contract`: what the console really answers has these fields, of these types."""

from typing import Any

import pytest

from stockwire import AsyncClient, held
from stockwire.errors import OutOfStock
from tests.console.running import Viewer, running_console
from tests.console.shapes import CONTRACT, differences, example
from tests.harness.system import System

TOPICS = ("launch", "stock", "level", "log", "nodes", "problems", "holds")
CANARY = "<img src=x onerror=alert(1)>\u202ejavascript:"


async def test_every_answer_has_the_shape_of_its_example(shared_system: System, unique_name: str) -> None:
    async with running_console(shared_system) as console, console.signed_in() as http, console.viewer(http) as viewer:
        await viewer.until("launch", lambda data: data["state"] == "live" and data["totals"]["sold_per_s"] is not None)
        await something_happens(shared_system, unique_name)
        level = {"sku": unique_name, "location": unique_name}
        await viewer.until("launch", lambda data: [row["refused"] for row in data["skus"]] == [1], location=unique_name)
        await viewer.until("nodes", lambda data: data["nodes"][0]["changes_per_s"] is not None)
        shown = {
            "launch": (await viewer.show("launch", location=unique_name, since="2026-01-01T00:00:00Z"))["data"],
            "stock": (await viewer.show("stock", search=unique_name))["data"],
            "level": (await viewer.show("level", **level, limit=1, as_of="2026-01-01T00:00:00Z"))["data"],
            "log": (await viewer.show("log", location=unique_name))["data"],
            "nodes": (await viewer.show("nodes"))["data"],
            "problems": (await viewer.show("problems"))["data"],
            "holds": (await viewer.show("holds", **level))["data"],
        }
        wrong = [line for topic in TOPICS for line in differences(example(topic)["data"], shown[topic], topic)]
        assert wrong == []
        check_numbers(shown, unique_name)
        for name, path in (("clock", "/api/clock"), ("history", "/api/history"), ("catalogue", "/api/catalogue")):
            wrong += differences(example(name)["answer"], (await http.get(path)).json(), name)
        session = (await http.get("/api/session")).json()
        wrong += differences(example("session")["signed_in"], session, "session")
        http.cookies.clear()
        wrong += differences(example("session")["signed_out"], (await http.get("/api/session")).json(), "session")
        assert wrong == []


async def something_happens(system: System, name: str) -> None:
    """10 come, 3 are sold, 2 held, too many are asked for: all with a canary where people write what they like."""
    async with AsyncClient(system.ledger_url, await system.admin_key()) as client:
        await client.locations.put(name, CANARY)
        await client.items.put(name, CANARY)
        await client.stock.receive(name, name, 10, reason=CANARY)
        await client.stock.sell(name, name, 3, reference=CANARY)
        await client.reservations.reserve([held(name, name, 2)], ttl_s=600, customer=CANARY, reference=CANARY)
        with pytest.raises(OutOfStock):
            await client.stock.sell(name, name, 100)


def check_numbers(shown: dict[str, Any], name: str) -> None:
    """What was done, as each topic tells it; and what people wrote, as it is."""
    (row,) = shown["launch"]["skus"]
    assert (row["available"], row["on_hand"], row["held"], row["sold"], row["had"]) == (5, 7, 2, 3, 0)
    assert (row["had_is"], row["refused"]) == ("what was available then", 1)
    assert shown["launch"]["totals"]["oversold"] == 0
    (stock,) = shown["stock"]["rows"]
    assert (stock["sku"], stock["available"], stock["reserved"]) == (name, 5, 2)
    level = shown["level"]
    assert (level["level"]["available"], [event["kind"] for event in level["events"]], level["next"]) == (
        5,
        ["hold"],
        3,
    )
    assert (level["holds"][0]["customer"], level["as_of"]["on_hand"]) == (CANARY, 0)
    assert [event["kind"] for event in shown["log"]["events"]] == ["hold", "sale", "receipt"]
    assert [event["actor"] for event in shown["log"]["events"]] == ["admin"] * 3
    assert shown["log"]["events"][2]["reason"] == CANARY
    assert len(shown["holds"]["holds"]) == 1
    refused = [one for one in shown["problems"]["refused_by_level"] if one["sku"] == name]
    assert [(one["type"], one["count"]) for one in refused] == [("insufficient-stock", 1)]
    assert "admin" in {one["owner"] for one in shown["problems"]["refused_by_owner"]}


async def test_changes_travel_as_rows_of_the_same_shape(shared_system: System, unique_name: str) -> None:
    async with running_console(shared_system) as console, console.signed_in() as http, console.viewer(http) as viewer:
        await something_happens(shared_system, unique_name)
        await viewer.until("stock", lambda data: data["matching"] == 1, search=unique_name)
        assert await changed_row(viewer, shared_system, unique_name, "stock") == 4
        await viewer.until("log", lambda data: len(data["events"]) == 4, location=unique_name)
        assert await changed_row(viewer, shared_system, unique_name, "log") == 3


async def changed_row(viewer: Viewer, system: System, name: str, topic: str) -> int:
    """What is available behind one more sale, as the row says it."""
    async with AsyncClient(system.ledger_url, await system.admin_key()) as client:
        await client.stock.sell(name, name, 1)
    while not (message := await viewer.next()).get("rows"):
        assert "data" not in message
    assert [line for row in message["rows"] for line in differences(example(topic)["rows"][0], row, topic)] == []
    available: int = message["rows"][0]["available"]
    return available


def test_every_example_is_one_of_an_answer() -> None:
    assert {path.stem for path in CONTRACT.glob("*.json")} == {
        *TOPICS,
        *("session", "clock", "catalogue", "history", "act"),
    }
