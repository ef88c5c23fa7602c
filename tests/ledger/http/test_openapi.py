"""wire/openapi.yaml against a live ledger: every route, every status that can be provoked from outside, every field.

Fields are compared inside ``Api``: schemas allow no other fields and require those that are always there.
"""

import asyncio
import gzip
import re
import secrets
from typing import Any
from uuid import UUID

import httpx
import pytest
from openapi_spec_validator import validate
from starlette.routing import Route

from ledger.http.bodies import TOKEN_TTL_S_DEFAULT, TOKEN_TTL_S_MAX
from ledger.http.body import LIST_FACTOR
from ledger.http.routes import (
    counts,
    discovery,
    documents,
    events,
    history,
    items,
    key_set,
    keys,
    levels,
    locations,
    movements,
    operations,
    reservation_reads,
    reservations,
    tokens,
    transfer_reads,
    transfers,
)
from ledger.http.routes.levels import HUB_PAGE_MAX
from ledger.limits import BODY_BYTES_MAX, LINES_MAX
from server.http import health
from server.http.query import PAGE_DEFAULT, PAGE_MAX
from tests.conftest import StartLedger
from tests.harness.postgres import PostgresServer
from tests.harness.system import System
from tests.ledger.api import LEDGER, Api, problem, receipt, sale
from wire.messages import Event, LevelState
from wire.problems import PROBLEMS

NOUNS: tuple[Any, ...] = (
    movements.MovementRoutes,
    operations.OperationRoutes,
    counts.CountRoutes,
    levels.LevelRoutes,
    reservations.ReservationRoutes,
    reservation_reads.ReservationReadRoutes,
    transfers.TransferRoutes,
    transfer_reads.TransferReadRoutes,
    events.EventRoutes,
    history.HistoryRoutes,
    items.ItemRoutes,
    locations.LocationRoutes,
    keys.KeyRoutes,
    tokens.TokenRoutes,
    key_set.KeySetRoutes,
    discovery.DiscoveryRoutes,
    health.HealthRoutes,
    documents.DocumentRoutes,
)
OPEN = {"front", "discover", "readKeySet", "health", "ready", "describe", "document"}
"""Operations that need no key."""
ANY_KEY = {"listItems", "readItem", "listLocations", "queryOperations", "listReservations", "listTransfers"}
OF_ONE_RESERVATION = {
    name for name, (_, path, _) in LEDGER.operations.items() if path.startswith("/v1/reservations/{id}")
}
OF_ONE_TRANSFER = {name for name, (_, path, _) in LEDGER.operations.items() if path.startswith("/v1/transfers/{id}")}
OF_ONE = OF_ONE_RESERVATION | OF_ONE_TRANSFER
"""Who may not see its locations is not told that there is one."""
FOR_HUBS = {"introspectKey"}
LISTS = {"putItems", "putLocations", "submitOperations"}
WITH_BODY = {name for name, (_, _, operation) in LEDGER.operations.items() if "requestBody" in operation}


def test_the_document_is_valid_openapi() -> None:
    validate(LEDGER.content)


def test_routes_and_document_are_the_same() -> None:
    routes: list[Route] = [route for noun in NOUNS for route in noun.routes(noun.__new__(noun))]
    served = {(method, route.path) for route in routes for method in (route.methods or set()) - {"HEAD"}}
    assert served == {(method, path) for method, path, _ in LEDGER.operations.values()}


def test_schemas_have_the_fields_of_the_messages() -> None:
    for message, name in ((LevelState, "LevelState"), (Event, "Event")):
        schema = LEDGER.content["components"]["schemas"][name]
        assert tuple(schema["properties"]) == message.__struct_fields__
        assert set(schema["required"]) == set(schema["properties"])


def test_schemas_have_the_bounds_of_the_code() -> None:
    schemas, parameters = LEDGER.content["components"]["schemas"], LEDGER.content["components"]["parameters"]
    assert schemas["Movements"]["properties"]["lines"]["maxItems"] == LINES_MAX
    for name, most in (("Limit", PAGE_MAX), ("LevelsLimit", HUB_PAGE_MAX)):
        assert parameters[name]["schema"] == {
            "type": "integer",
            "minimum": 1,
            "maximum": most,
            "default": PAGE_DEFAULT,
        }
    assert schemas["ItemsBody"]["properties"]["items"]["maxItems"] == LINES_MAX
    assert schemas["LocationsBody"]["properties"]["locations"]["maxItems"] == LINES_MAX
    ttl = LEDGER.operations["createToken"][2]["requestBody"]["content"]["application/json"]["schema"]["properties"][
        "ttl_s"
    ]
    assert (ttl["maximum"], ttl["default"]) == (TOKEN_TTL_S_MAX, TOKEN_TTL_S_DEFAULT)


def test_every_problem_type_is_described_with_its_status() -> None:
    described: dict[str, set[int]] = {}
    for schema in LEDGER.content["components"]["schemas"].values():
        kind = schema.get("properties", {}).get("type", {}).get("const")
        if kind:
            status = schema["properties"]["status"]
            described[kind] = set(status.get("enum", [status.get("const")]))
    del described["about:blank"]
    assert set(described) == set(PROBLEMS)
    assert all(PROBLEMS[kind][0] in statuses for kind, statuses in described.items())


# --- every route and status, live


async def test_every_operation_answers_as_described(api: Api, hub_api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 10)
    await api.put(f"/v1/locations/to-{unique_name}", {"name": "There"})
    for name, (_, _, operation) in LEDGER.operations.items():
        answer = await call(hub_api if name in FOR_HUBS else api, name, unique_name)
        assert answer.is_success, (name, answer.text)
        assert str(answer.status_code) in operation["responses"]


async def test_without_a_key_every_other_operation_answers_401(anonymous: Api, unique_name: str) -> None:
    for name in LEDGER.operations:
        answer = await call(anonymous, name, unique_name)
        assert (answer.status_code == 401) == (name not in OPEN), (name, answer.text)


async def test_without_the_scope_every_other_operation_answers_403(http_system: System, unique_name: str) -> None:
    key = await http_system.key("elsewhere", "stock:read:elsewhere")
    async with Api(http_system.ledger_url, key) as nobody:
        for name in LEDGER.operations:
            answer = await call(nobody, name, unique_name)
            assert (answer.status_code == 403) == (name not in OPEN | ANY_KEY | OF_ONE), (name, answer.text)


async def test_malformed_requests_answer_400(api: Api, hub_api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 1)
    for name in set(LEDGER.operations) - OPEN:
        client = hub_api if name in FOR_HUBS else api
        spoilt = {"content": b"{"} if name in WITH_BODY else {"params": {"nonsense": "1"}}
        answer = await call(client, name, unique_name, **spoilt)
        assert problem(answer) == (400, "invalid"), (name, answer.text)


async def test_bodies_with_wrong_fields_answer_422(api: Api, hub_api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 1)
    for name in WITH_BODY:
        answer = await call(hub_api if name in FOR_HUBS else api, name, unique_name, content=b'{"nonsense":1}')
        assert problem(answer) == (422, "invalid"), (name, answer.text)
        assert answer.json()["field"] == "nonsense"


async def test_large_bodies_answer_413(api: Api, hub_api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 1)
    for name in WITH_BODY:
        bytes_max = BODY_BYTES_MAX * (LIST_FACTOR if name in LISTS else 1)
        body = b'{"nonsense":"' + b"x" * bytes_max + b'"}'
        answer = await call(hub_api if name in FOR_HUBS else api, name, unique_name, content=body)
        assert problem(answer) == (413, "too-large"), (name, answer.text)
        assert answer.json()["bytes_max"] == bytes_max


async def test_packed_bodies_answer_415(api: Api, hub_api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 1)
    for name in WITH_BODY:
        client = hub_api if name in FOR_HUBS else api
        for encoding in ("gzip", "br", "identity, gzip", "GZIP", "aes128gcm"):
            headers = {"Content-Encoding": encoding, "Idempotency-Key": secrets.token_hex(8)}
            answer = await call(client, name, unique_name, content=gzip.compress(b"{}"), headers=headers)
            assert problem(answer) == (415, "unsupported-encoding"), (name, answer.text)
            assert answer.headers["accept-encoding"] == "identity"
            assert answer.json()["header"] == "Content-Encoding"


@pytest.mark.parametrize("encoding", ["identity", "Identity", "", "identity, identity"])
async def test_a_body_that_says_that_it_is_plain_is_read(api: Api, unique_name: str, encoding: str) -> None:
    body = {"name": "a"}
    answer = await api.put(f"/v1/items/{unique_name}", body, headers={"Content-Encoding": encoding})
    assert answer.status_code == 200


async def test_what_does_not_exist_answers_404(api: Api, unique_name: str) -> None:
    known = {name for name, (_, _, operation) in LEDGER.operations.items() if "404" in operation["responses"]}
    for name in known:
        answer = await call(api, name, f"absent-{unique_name}", shard=99)
        assert problem(answer) == (404, "not-found"), (name, answer.text)


async def test_an_owner_over_the_rate_gets_429(start_ledger: StartLedger, system: System) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_RATE_PER_S="0.001")
    async with Api(ledger.url, await system.admin_key()) as api:
        await api.get("/v1/items")
        for name in set(LEDGER.operations) - OPEN:
            answer = await call(api, name, "x")
            assert problem(answer) == (429, "rate-limited"), (name, answer.text)
            assert int(answer.headers["retry-after"]) > 100


async def test_while_the_database_is_away_everything_answers_503_and_then_recovers(
    start_ledger: StartLedger, system: System, postgres: PostgresServer
) -> None:
    ledger = await start_ledger()
    database = httpx.URL(system.database_url).path.strip("/")
    async with Api(ledger.url, await system.admin_key()) as api:
        postgres.execute(f'alter database "{database}" allow_connections false')
        postgres.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'")
        answers = await asyncio.gather(*(call(api, name, "x") for name in set(LEDGER.operations) - OPEN | {"ready"}))
        assert {problem(answer) for answer in answers} == {(503, "unavailable")}
        assert (await api.get("/healthz")).is_success
        postgres.execute(f'alter database "{database}" allow_connections true')
        assert (await api.get("/readyz")).is_success
        await api.stock("berlin", "A", 3)
        assert (await api.get("/v1/levels/berlin/A")).json()["on_hand"] == 3


def test_every_status_described_is_provoked_here_or_named() -> None:
    """401 403 413 415 422 400 404 429 503 by the loops above; what is left stands in the table below."""
    looped = {"200", "201", "204", "400", "401", "403", "404", "413", "415", "422", "429", "503", "default"}
    left = {
        (name, status)
        for name, (_, _, operation) in LEDGER.operations.items()
        for status in operation["responses"]
        if status not in looped
    }
    elsewhere = ("createToken", "501")  # tests/server/tokens/test_provider_tokens.py
    of_reservations = {
        (name, "409") for name in OF_ONE_RESERVATION - {"getReservation"} | {"reserve"}
    }  # test_reservations
    of_transfers = {(name, "409") for name in OF_ONE_TRANSFER - {"getTransfer"} | {"sendTransfer"}}  # test_transfers
    others = {("move", "409"), ("count", "409"), ("count", "412"), ("readLevel", "304"), elsewhere}
    assert left == others | of_reservations | of_transfers


async def test_conflicts_and_conditions(api: Api, unique_name: str) -> None:
    place = sku = unique_name
    await api.stock(place, sku, 5)
    assert problem(await api.move(sale(place, sku, -6))) == (409, "insufficient-stock")
    assert problem(await api.move(sale(place, sku, expected_version=7))) == (409, "version-conflict")
    assert problem(await api.count(place, sku, {"on_hand": 3, "expected_version": 7})) == (409, "version-conflict")
    assert problem(await api.count(place, sku, {"on_hand": 3}, If_Match='"7"')) == (412, "version-conflict")
    answer = await api.get(f"/v1/levels/{place}/{sku}", headers={"If-None-Match": '"0", W/"1"'})
    assert (answer.status_code, answer.headers["etag"], answer.content) == (304, '"1"', b"")


async def test_a_count_below_what_is_reserved_answers_409(
    start_ledger: StartLedger, system: System, postgres: PostgresServer
) -> None:
    """Reservations are not offered yet: this one is made in the database."""
    ledger = await start_ledger()
    async with Api(ledger.url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 5)
        postgres.execute(
            "update stock_level set reserved = 4, version = 2", httpx.URL(system.database_url).path.strip("/")
        )
        answer = await api.count("berlin", "A", {"on_hand": 3, "expected_version": None})
        assert problem(answer) == (409, "below-reserved")
        assert (answer.json()["on_hand"], answer.json()["reserved"]) == (3, 4)


async def test_no_such_path_and_no_such_method(api: Api) -> None:
    answer = await api.get("/v1/nonsense")
    assert (problem(answer), answer.json()["value"]) == ((404, "not-found"), "/v1/nonsense")
    answer = await api.send("DELETE", "/v1/items/A")
    assert problem(answer) == (405, "about:blank")
    assert answer.headers["allow"] == "GET, HEAD, PUT"


async def test_the_document_is_served_with_a_page_that_needs_nothing_else(anonymous: Api) -> None:
    assert (await anonymous.get("/openapi.json")).json() == LEDGER.content
    front = (await anonymous.get("/")).json()
    assert (front["name"], front["docs"], front["openapi"]) == ("Stockwire ledger", "/docs", "/openapi.json")
    page = await anonymous.get("/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert not re.search(r"(src|href)=\"?(https?:)?//", page.text)


def test_no_start_waits_for_the_document_that_few_ask_for() -> None:
    read = documents.read_document.cache_info()
    documents.DocumentRoutes()
    assert documents.read_document.cache_info() == read


async def call(api: Api, name: str, thing: str, shard: int = 0, **spoilt: Any) -> httpx.Response:
    """One request that is right in every way, but for ``spoilt``; ``thing`` is its sku and its location."""
    method, path, _ = LEDGER.operations[name]
    arguments: dict[str, Any] = {"json": BODIES[name](thing)} if name in BODIES else {}
    if "content" in spoilt:
        arguments = {}
    if name in {"move", "count", "reserve", "sendTransfer"} | OF_ONE:
        arguments["headers"] = {"Idempotency-Key": secrets.token_hex(8)}
    if name == "readEvents":
        arguments["params"] = {"shard": shard}
    if name == "listLevels":
        arguments["params"] = {"location": thing}
    target = await revocable_key(api) if name == "revokeKey" and not thing.startswith("absent") else thing
    if name in OF_ONE_RESERVATION:
        target = await reservation(api, thing, paid=name == "fulfilReservation")
    if name in OF_ONE_TRANSFER:
        target = await transfer(api, thing)
    path = path.replace("{location}", thing).replace("{sku}", thing).replace("{id}", target)
    return await api.send(method, path, **{**arguments, **spoilt})


async def revocable_key(api: Api) -> str:
    answer = await api.client.post("/v1/keys", json={"owner": "short-lived", "scopes": ["feed"]})
    return str(answer.json().get("id", "aaaaaaaaaaaa"))


async def reservation(api: Api, thing: str, *, paid: bool) -> str:
    """The id of one of one unit; of none, if it cannot be made."""
    body = {"lines": [{"sku": thing, "location": thing, "quantity": 1}]}
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    answer = await api.client.post("/v1/reservations", json=body, headers=headers)
    if answer.status_code != 201:
        return str(UUID(int=1))
    made = str(answer.json()["reservation"]["id"])
    if paid:
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        assert (await api.client.post(f"/v1/reservations/{made}/commit", headers=headers)).is_success
    return made


async def transfer(api: Api, thing: str) -> str:
    """The id of one of one unit to another location; of none, if it cannot be sent."""
    await api.client.put(f"/v1/locations/to-{thing}", json={"name": "There"})
    body = {"from": thing, "to": f"to-{thing}", "lines": [{"sku": thing, "quantity": 1}]}
    answer = await api.client.post("/v1/transfers", json=body, headers={"Idempotency-Key": secrets.token_hex(8)})
    return str(answer.json()["transfer"]["id"]) if answer.status_code == 201 else str(UUID(int=1))


BODIES: dict[str, Any] = {
    "sendTransfer": lambda thing: {"from": thing, "to": f"to-{thing}", "lines": [{"sku": thing, "quantity": 1}]},
    "receiveTransfer": lambda thing: {"lines": [{"sku": thing, "quantity": 1}], "close": True, "reason": "torn"},
    "returnTransfer": lambda thing: {"lines": [{"sku": thing}], "to": thing},
    "closeTransfer": lambda thing: {"reason": "lost"},
    "reserve": lambda thing: {"lines": [{"sku": thing, "location": thing, "quantity": 1}], "ttl_s": 60},
    "commitReservation": lambda thing: {"lines": [{"sku": thing, "location": thing}]},
    "fulfilReservation": lambda thing: {"lines": [{"sku": thing, "location": thing, "quantity": 1}]},
    "cancelReservation": lambda thing: {},
    "extendReservation": lambda thing: {"ttl_s": 60},
    "changeReservation": lambda thing: {"lines": [{"sku": thing, "location": thing, "quantity": 1}]},
    "move": lambda thing: receipt(thing, thing, 1),
    "count": lambda thing: {"on_hand": 40, "expected_version": None},
    "submitOperations": lambda thing: {
        "operations": [{"key": secrets.token_hex(8), "lines": [receipt(thing, thing, 1)]}]
    },
    "queryOperations": lambda thing: {"keys": [f"key-of-{thing}"]},
    "queryLevels": lambda thing: {"keys": [[thing, thing], [thing, "other"]]},
    "putItem": lambda thing: {"name": "Mug", "price": 2.55, "currency": "GBP", "attributes": {"a": 1, "b": None}},
    "putLocation": lambda thing: {"name": "Berlin"},
    "putItems": lambda thing: {"items": [{"sku": thing, "name": "Mug"}, {"sku": f"{thing}-b", "name": "Cup"}]},
    "putLocations": lambda thing: {"locations": [{"location": thing, "name": "Berlin"}], "existing": "keep"},
    "createKey": lambda thing: {"owner": "till", "scopes": [f"stock:read:{thing}"], "name": "Till 1"},
    "introspectKey": lambda thing: {"key": "sw_nonsense"},
    "createToken": lambda thing: {"scopes": ["stock:read:berlin"], "ttl_s": 5},
}


def test_the_checker_refuses_what_the_document_does_not_have() -> None:
    """The comparison itself can fail."""
    request = httpx.Request("GET", "http://ledger/v1/shards")
    for content in ({"epoch": "e"}, {"epoch": "e", "shards": [], "more": 1}, {"epoch": 1, "shards": []}):
        with pytest.raises(Exception, match=r"(?i)required|unexpected|not of type"):
            LEDGER.check_answer(httpx.Response(200, json=content, request=request))
    with pytest.raises(AssertionError, match="418"):
        LEDGER.check_answer(httpx.Response(418, json={}, request=request))
    assert LEDGER.resolved({"$ref": "#/components/schemas/Units"})["minimum"] == 0
