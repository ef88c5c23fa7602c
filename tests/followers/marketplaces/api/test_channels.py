"""The routes of channels: answers are as the document has them, and what cannot work names its field."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from followers.answers import Answers
from followers.api.app import ANSWERED, create_app
from followers.api.askers import Askers
from followers.database.database import Database
from followers.database.schema import expand
from followers.log.ledger import Ledger
from followers.marketplaces.api.bodies import BODY_BYTES_MAX, bytes_max_of
from followers.marketplaces.api.checked import CheckedWish
from followers.marketplaces.api.mapping_routes import LARGE_AGAIN_S
from followers.marketplaces.api.routes import ChannelParts, ChannelRoutes
from followers.marketplaces.marketplaces import Marketplaces
from followers.outward.addresses import Addresses
from followers.sealing import Seal, new_sealing_key
from server.http.problems import Problems
from server.rates.rate_limits import RateLimits
from server.settings.addresses import networks_of
from tests.harness.openapi import document
from tests.harness.system import System

CHANNELS = document("channels-openapi.yaml")
OPERATIONS = {name: one for name, one in CHANNELS.operations.items() if "channels" in one[2]["tags"]}
AWAY = "postgresql://nobody@127.0.0.1:1/nothing"
SCOPES = ("stock:read:*", "stock:write:*")
WISH: dict[str, Any] = {
    "settings": {"shop": "http://127.0.0.1:1", "location": "346779380", "client_id": "c"},
    "credentials": {"secret": "s"},
    "locations": ["berlin"],
}
LINES = {"lines": [{"remote": "101", "sku": "A"}]}
BODIES: dict[str, Any] = {
    "addChannel": None,
    "changeChannel": WISH,
    "putMapping": {"csv": "remote,sku\n101,A\n"},
    "addMapping": LINES,
    "removeMapping": {"remotes": ["101"]},
    "acceptProposals": {},
    "retryDead": {},
    "dropDead": {},
}
GOOD = {"addChannel": 201, "removeChannel": 204, "readListings": 202}
OF_ONE = [name for name, (_, path, _) in OPERATIONS.items() if "{id}" in path]


@asynccontextmanager
async def serving(system: System, database_url: str | None = None) -> AsyncIterator[Starlette]:
    async with (
        Database(system.database_url) as schema,
        Database(database_url or system.database_url) as database,
        Ledger(system.ledger_url, await system.hub_key()) as ledger,
    ):
        await expand(schema)
        addresses = Addresses(networks_of(["127.0.0.0/8"]))
        seal = Seal([new_sealing_key()])
        limits = RateLimits(0, None, "", "channels", counted="key")

        async def ready() -> None:
            return None

        async with Marketplaces(database, ledger, seal, addresses, [], name="api", lease_s=10) as marketplaces:
            checked = CheckedWish(addresses, marketplaces.sessions)
            routes = ChannelRoutes(ChannelParts(marketplaces, ledger, checked, Askers(ledger, limits))).routes()
            yield create_app(
                routes,
                limits,
                Problems(ANSWERED),
                Answers(),
                ready,
                lambda scope: bytes_max_of(scope["path"]) or BODY_BYTES_MAX,
            )


@pytest.fixture
async def app(shared_system: System) -> AsyncIterator[Starlette]:
    async with serving(shared_system) as app:
        yield app


def client(app: Starlette, key: str | None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport, base_url="http://channels", headers=headers, event_hooks={"response": [_held]}, timeout=60
    )


async def test_every_operation_answers_as_described_and_a_strangers_meets_nothing(
    app: Starlette, shared_system: System
) -> None:
    served = {
        (method, route.path) for route in app.routes if isinstance(route, Route) for method in route.methods or ()
    }
    assert {(method, path) for method, path, _ in OPERATIONS.values()} <= served
    name = new_name()
    async with client(app, await shared_system.key("seller", *SCOPES)) as seller:
        names = sorted(OPERATIONS, key=lambda one: (one == "removeChannel", one != "addChannel"))
        assert {one: await status(seller, one, name) for one in names} == {one: GOOD.get(one, 200) for one in names}
        assert await status(seller, "readChannel", name) == 404
        kept = new_name()
        assert await status(seller, "addChannel", kept) == 201
    async with client(app, await shared_system.key("stranger", *SCOPES)) as stranger:
        assert {await status(stranger, one, kept) for one in OF_ONE} == {404}
    async with client(app, None) as nobody:
        assert {await status(nobody, one, kept) for one in OPERATIONS} == {401}
    async with client(app, await shared_system.key("sees nothing", "feed")) as blind:
        assert {await status(blind, one, kept) for one in OPERATIONS} == {403}


async def test_what_cannot_work_names_its_field(app: Starlette, shared_system: System) -> None:
    async with client(app, await shared_system.key("mistaken", *SCOPES)) as seller:
        mistakes: dict[str, dict[str, Any]] = {
            "id": {"id": "No Name"},
            "vendor": {"vendor": "etsy"},
            "settings.shop": {"settings": {"location": "1", "client_id": "c"}},
            "settings.colour": {"settings": {**WISH["settings"], "colour": "red"}},
            "settings.location": {"settings": {**WISH["settings"], "location": "Main Street"}},
            "credentials.secret": {"credentials": {}},
            "share": {"share": 1.5},
            "buffer": {"buffer": -1},
            "locations": {"locations": []},
            "notices_url": {"notices_url": "shop.example"},
        }
        for field, change in mistakes.items():
            body = {"id": new_name(), "vendor": "shopify", **WISH, **change}
            answer = await seller.post("/v1/channels", json=body)
            assert (answer.status_code, answer.json()["field"]) == (422, field)
        private = {**WISH["settings"], "shop": "https://10.0.0.7"}
        answer = await seller.post(
            "/v1/channels", json={"id": new_name(), "vendor": "shopify", **WISH, "settings": private}
        )
        assert (answer.status_code, answer.json()["field"]) == (422, "settings.shop")
    async with client(app, await shared_system.key("reads only", "stock:read:*")) as reader:
        answer = await reader.post("/v1/channels", json={"id": new_name(), "vendor": "shopify", **WISH})
        assert (answer.status_code, answer.json()["scope"]) == (403, "stock:write:berlin")


async def test_what_is_sealed_goes_to_no_other_address_and_is_never_emptied(
    app: Starlette, shared_system: System
) -> None:
    async with client(app, await shared_system.key("mover", *SCOPES)) as seller:
        name = new_name()
        (await seller.post("/v1/channels", json={"id": name, "vendor": "shopify", **WISH})).raise_for_status()
        kept = {name: value for name, value in WISH.items() if name != "credentials"}
        elsewhere = {**kept, "settings": {**WISH["settings"], "shop": "http://127.0.0.1:2"}}
        answer = await seller.put(f"/v1/channels/{name}", json=elsewhere)
        assert (answer.status_code, answer.json()["field"]) == (422, "credentials")
        answer = await seller.put(f"/v1/channels/{name}", json={**kept, "credentials": {}})
        assert (answer.status_code, answer.json()["field"]) == (422, "credentials.secret")
        for body in (
            {**kept, "settings": {**WISH["settings"], "location": "7"}},
            {**elsewhere, "credentials": {"secret": "s"}},
        ):
            assert (await seller.put(f"/v1/channels/{name}", json=body)).status_code == 200


async def test_large_mappings_are_taken_one_at_a_time_and_others_come_again(
    app: Starlette, shared_system: System
) -> None:
    name, begun, goes_on = new_name(), asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        begun.set()
        await goes_on.wait()
        yield b'{"csv": "remote,sku\\n101,A\\n"}'

    async with client(app, await shared_system.key("seller", *SCOPES)) as seller, asyncio.TaskGroup() as tasks:
        assert await status(seller, "addChannel", name) == 201
        at = f"/v1/channels/{name}/mapping"
        headers = {"content-type": "application/json"}
        putting = tasks.create_task(seller.put(at, content=slow(), headers=headers))
        await begun.wait()
        busy = await seller.get(at)
        goes_on.set()
        assert (busy.status_code, busy.headers["retry-after"]) == (503, str(LARGE_AGAIN_S))
        assert (await putting).json() == {"changed": 1}
        assert "101,A" in (await seller.get(at)).text


async def test_a_mapping_goes_both_ways_and_one_that_is_there_twice_names_its_line(
    app: Starlette, shared_system: System
) -> None:
    name = new_name()
    at = f"/v1/channels/{name}"
    async with client(app, await shared_system.key("maps", *SCOPES)) as seller:
        assert await status(seller, "addChannel", name) == 201
        csv = "remote,sku,location,title\n101,A,,\n102,A,berlin,\n"
        assert (await seller.put(f"{at}/mapping", json={"csv": csv})).json() == {"changed": 2}
        assert (await seller.get(f"{at}/mapping")).text == csv
        assert (await seller.put(f"{at}/mapping", json={"csv": csv})).json() == {"changed": 0}
        answer = await seller.put(f"{at}/mapping", json={"csv": "remote,sku\n103,A\n103,B\n"})
        assert (answer.status_code, answer.json()["field"]) == (422, "line 3")
        answer = await seller.post(f"{at}/mapping", json={"lines": [LINES["lines"][0], LINES["lines"][0]]})
        assert (answer.status_code, answer.json()["field"]) == (422, "line 2")
        whole = {"csv": "remote,sku\n102,B\n", "whole": True}
        assert (await seller.put(f"{at}/mapping", json=whole)).json() == {"changed": 2}
        waiting = (await seller.get(f"{at}/listings?which=waiting")).json()["listings"]
        assert [(one["remote"], one["sku"], one["state"]) for one in waiting] == [("102", "B", "unknown")]
        shown = (await seller.get(at)).json()
        assert shown["listings"] == {"mapped": 1, "unmapped": 0, "due": 0, "in_doubt": 1, "dead": 0}
        assert "credentials" not in shown
        assert "sealed" not in shown


async def test_an_outage_of_the_database_is_503(shared_system: System) -> None:
    key = await shared_system.key("meets outages", *SCOPES)
    async with serving(shared_system, AWAY) as app, client(app, key) as seller:
        assert {await status(seller, one, "web") for one in OF_ONE} == {503}


def new_name() -> str:
    """Tests share a database."""
    return f"c{token_hex(4)}"


async def status(somebody: httpx.AsyncClient, operation: str, channel: str) -> int:
    """Of one request that is right in every way."""
    method, path, _ = OPERATIONS[operation]
    body = BODIES.get(operation)
    if operation == "addChannel":
        body = {"id": channel, "vendor": "shopify", **WISH}
    arguments: dict[str, Any] = {} if body is None else {"json": body}
    return (await somebody.request(method, path.replace("{id}", channel), **arguments)).status_code


async def _held(answer: httpx.Response) -> None:
    await answer.aread()
    CHANNELS.check_answer(answer)
