"""wire/hub-openapi.yaml against a live hub: every route, every status, every field.

Fields are compared inside ``client``: schemas allow no other fields and require those that are always there.
"""

from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate
from starlette.routing import Route

from hub.limits import Limits
from hub.reads.availability_api import SKUS_MAX
from hub.reads.read_api import BODY_BYTES_MAX, KEYS_MAX
from server.http.query import PAGE_DEFAULT, PAGE_MAX
from stockwire import AsyncClient
from tests.harness.system import System
from tests.hub.reader import HUB, client, in_memory, read_port
from wire.messages import LevelState

NAMES = sorted(set(HUB.operations) - {"front"})
OF_LEVELS = [name for name in NAMES if name not in ("discoverFromHub", "readBadge")]
WITH_BODY = [name for name, (_, _, operation) in HUB.operations.items() if "requestBody" in operation]


def test_the_document_is_valid_openapi() -> None:
    validate(HUB.content, base_uri=HUB.path.as_uri())


async def test_routes_and_document_are_the_same() -> None:
    async with read_port() as app:
        routes = [route for route in app.routes if isinstance(route, Route)]
    served = {(method, route.path) for route in routes for method in (route.methods or set()) - {"HEAD"}}
    assert served == {(method, path) for method, path, _ in HUB.operations.values()}


async def test_whoever_has_nothing_but_the_address_finds_the_documentation() -> None:
    async with (
        read_port() as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as anybody,
    ):
        answer = await anybody.get("/")
    assert answer.status_code == 200
    front = answer.json()
    assert (front["name"], front["version"]) == ("Stockwire hub", HUB.content["info"]["version"])
    assert "/docs" in front["docs"]
    assert front["paths"] == [path for path in HUB.content["paths"] if path != "/" and "{" not in path]


def test_a_level_has_the_fields_of_the_message_and_its_freshness() -> None:
    schema = HUB.content["components"]["schemas"]["Level"]
    assert tuple(schema["properties"]) == (*LevelState.__struct_fields__, "fresh", "lag_ms")
    assert schema["required"] == list(schema["properties"])


def test_the_bounds_are_those_of_the_code() -> None:
    limit = HUB.resolved({"$ref": "openapi.yaml#/components/parameters/Limit"})["schema"]
    assert (limit["maximum"], limit["default"]) == (PAGE_MAX, PAGE_DEFAULT)
    body = HUB.operations["queryLevels"][2]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["keys"]["maxItems"] == KEYS_MAX
    skus = next(one for one in HUB.operations["streamLevels"][2]["parameters"] if one["name"] == "sku")
    assert skus["schema"]["maxItems"] == Limits().skus_max
    skus = next(one for one in HUB.operations["listAvailability"][2]["parameters"] if one["name"] == "sku")
    assert skus["schema"]["maxItems"] == SKUS_MAX


async def test_every_operation_answers_as_described(
    shared_system: System, shared_client: AsyncClient, unique_name: str
) -> None:
    await shared_client.locations.put(unique_name, unique_name)
    await shared_client.items.put(unique_name, unique_name)
    await shared_client.stock.receive(unique_name, unique_name, 3)
    async with client(shared_system.hubs[0].url, "stock:read:*") as hub:
        for name in NAMES:
            assert await status(hub, name, unique_name) == 200, name
        answer = await hub.get(f"/v1/levels/{unique_name}/{unique_name}")
        assert answer.json()["on_hand"] == 3
        held = {"If-None-Match": answer.headers["ETag"]}
        assert await status(hub, "readLevel", unique_name, headers=held) == 304
        for name in ("readAvailability", "listAvailability"):
            path = "/v1/availability" + ("" if name == "listAvailability" else f"/{unique_name}/{unique_name}")
            answer = await hub.get(path, params={"location": unique_name} if name == "listAvailability" else None)
            assert await status(hub, name, unique_name, headers={"If-None-Match": answer.headers["ETag"]}) == 304


async def test_without_a_token_or_its_scope_nothing_is_told(shared_system: System, unique_name: str) -> None:
    async with client(shared_system.hubs[0].url) as anonymous:
        assert {await status(anonymous, name, unique_name) for name in OF_LEVELS} == {401}
    for scope in ("stock:read:elsewhere", "feed"):
        async with client(shared_system.hubs[0].url, scope) as nobody:
            assert {await status(nobody, name, unique_name) for name in OF_LEVELS} == {403}


async def test_what_cannot_be_read_names_its_field_and_the_reason(shared_system: System, unique_name: str) -> None:
    """Field and reason are required by the document of every ``invalid``."""
    async with client(shared_system.hubs[0].url, "stock:read:*") as hub:
        for name in NAMES:
            spoilt = {"content": b"{"} if name in WITH_BODY else {"params": {"nonsense": "1"}}
            assert await status(hub, name, unique_name, **spoilt) == 400, name
        for name in WITH_BODY:
            assert await status(hub, name, unique_name, json={"nonsense": 1}) == 422
            assert await status(hub, name, unique_name, content=b" " * (BODY_BYTES_MAX + 1)) == 413
            packed = {"Content-Encoding": "gzip"}
            assert await status(hub, name, unique_name, content=b"{}", headers=packed) == 415


@pytest.mark.parametrize(
    ("query", "header", "status_", "field"),
    [
        ("location=berlin&sku=a%20b", "", 400, "sku"),
        ("location=berlin&since=x", "", 400, "since"),
        ("location=berlin&since=" + "[" * 4_000, "", 400, "since"),
        ("location=berlin", "{}", 400, "Last-Event-ID"),
        ("location=berlin&view=secret", "", 400, "view"),
        ("location=berlin&at_most=x", "", 400, "at_most"),
        ("location=berlin&at_most=1&at_least=2", "", 422, "when"),
        ("location=berlin&at_least=0", "", 422, "when.at_least"),
        ("location=berlin&at_most=5&until=5", "", 422, "when.until"),
        ("location=berlin&at_least=5&until=5", "", 422, "when.until"),
        ("location=berlin&until=5", "", 422, "when"),
        ('location=berlin&view=public&since={"epoch":"e","seq":{}}', "", 422, "since"),
        ("location=berlin&location=paris", "", 400, "location"),
        ("", "", 422, "location"),
        ("location=a%20b", "", 422, "location"),
        ("location=*&sku=A", "", 422, "skus"),
    ],
)
async def test_a_malformed_stream_query_names_its_field(query: str, header: str, status_: int, field: str) -> None:
    async with read_port() as app, in_memory(app) as reader:
        answer = await reader.get(f"/v1/levels/stream?{query}", headers={"Last-Event-ID": header})
        assert (answer.status_code, answer.json()["field"]) == (status_, field), answer.text
        assert answer.json()["reason"]


async def test_a_hub_that_cannot_reach_a_ledger_answers_503_everywhere() -> None:
    async with read_port(started=False) as app, in_memory(app) as reader:
        assert {name for name in NAMES if await status(reader, name, "berlin") != 503} == {"readBadge"}


async def test_no_such_path_and_no_such_method() -> None:
    async with read_port() as app, in_memory(app) as reader:
        answer = await reader.get("/v1/nonsense")
        assert (answer.status_code, answer.json()["value"]) == (404, "/v1/nonsense")
        assert (await reader.delete("/v1/levels")).status_code == 405


async def test_an_owner_that_holds_all_its_places_meets_429_everywhere() -> None:
    limits = Limits(connections_per_owner_max=1)
    async with read_port(limits=limits, held_by="tester") as app, in_memory(app) as reader:
        assert {await status(reader, name, "berlin") for name in OF_LEVELS} == {429}


def test_every_status_described_is_provoked_here() -> None:
    provoked = {"200", "304", "400", "401", "403", "413", "415", "422", "429", "503", "default"}
    assert {status for _, _, operation in HUB.operations.values() for status in operation["responses"]} == provoked
    bodies_only = {name for name, (_, _, one) in HUB.operations.items() if "413" in one["responses"]}
    assert bodies_only == set(WITH_BODY)


async def status(hub: httpx.AsyncClient, name: str, thing: str, **spoilt: Any) -> int:
    """Of one request that is right in every way, but for ``spoilt``; ``thing`` is its sku and its location."""
    method, path, _ = HUB.operations[name]
    arguments: dict[str, Any] = {}
    if name in WITH_BODY and "content" not in spoilt:
        arguments["json"] = {"keys": [[thing, thing], [thing, "other"]]}
    if name in ("listLevels", "streamLevels", "listAvailability"):
        arguments["params"] = {"location": thing}
    path = path.replace("{location}", thing).replace("{sku}", thing)
    async with hub.stream(method, path, **{**arguments, **spoilt}) as answer:
        return answer.status_code
