"""wire/channels-openapi.yaml against the live API: every route, every status, every field.

Fields are compared as answers come in (``asking``): schemas allow no other fields and require those always there.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate
from starlette.routing import Route

from followers.webhooks.api import bodies
from followers.webhooks.api.bodies import BODY_BYTES_MAX
from followers.webhooks.endpoints import ATTEMPTS_MAX
from followers.webhooks.planning import MODES, TEST, TYPES
from tests.followers.webhooks.api.asking import CHANNELS, OPERATIONS, WISH, Api, serving
from tests.harness.system import System
from wire.hosts import HEALTH

BODIES: dict[str, dict[str, Any]] = {
    "addWebhook": WISH,
    "changeWebhook": WISH,
    "rotateWebhook": {},
    "replayWebhook": {"failed": True},
}
GOOD = {
    "addWebhook": 201,
    "removeWebhook": 204,
    "testWebhook": 202,
    "replayWebhook": 202,
}
"""All others answer 200."""
OF_ONE = [name for name, (_, path, _) in OPERATIONS.items() if "{id}" in path]


@pytest.fixture
async def api(shared_system: System) -> AsyncIterator[Api]:
    async with serving(shared_system) as api:
        yield api


def test_the_document_is_valid_openapi() -> None:
    validate(CHANNELS.content, base_uri=CHANNELS.path.as_uri())


async def test_routes_and_document_are_the_same(api: Api) -> None:
    routes = [route for route in api.app.routes if isinstance(route, Route) and route.path not in HEALTH]
    served = {(method, route.path) for route in routes for method in (route.methods or set()) - {"HEAD"}}
    assert served == {(method, path) for method, path, _ in OPERATIONS.values()}


def test_the_bounds_and_names_are_those_of_the_code() -> None:
    schemas = CHANNELS.content["components"]["schemas"]
    assert schemas["Type"]["enum"] == [one for one in TYPES if one != TEST]
    assert set(schemas["AskedType"]["enum"]) == set(bodies.SUBSCRIBED)
    wish, made = schemas["Wish"]["properties"], schemas["NewWebhook"]["properties"]
    assert list(made) == [*bodies.Wish.__struct_fields__, *bodies.Rotation.__struct_fields__]
    assert list(wish) == [*bodies.Wish.__struct_fields__]
    assert list(schemas["Replay"]["properties"]) == [*bodies.Replay.__struct_fields__]
    assert wish["mode"]["enum"] == list(MODES)
    assert (wish["batch"]["maximum"], wish["types"]["maxItems"]) == (bodies.BATCH_MAX, bodies.TYPES_MAX)
    assert wish["locations"]["maxItems"] == wish["skus"]["maxItems"] == bodies.NAMES_MAX
    assert wish["url"]["maxLength"] == bodies.URL_CHARACTERS_READ
    assert (wish["rate_per_s"]["minimum"], wish["rate_per_s"]["maximum"]) == (
        bodies.RATE_PER_S_MIN,
        bodies.RATE_PER_S_MAX,
    )
    (limit,) = OPERATIONS["listAttempts"][2]["parameters"]
    assert limit["schema"]["maximum"] == ATTEMPTS_MAX


async def test_every_operation_answers_as_described(api: Api, shared_system: System) -> None:
    async with api.as_(await shared_system.key("describes", "stock:read:*")) as owner:
        made = (await owner.post("/v1/webhooks", json=WISH)).json()["id"]
        names = sorted(OPERATIONS, key=lambda name: name == "removeWebhook")
        assert {name: await status(owner, name, made) for name in names} == {
            name: GOOD.get(name, 200) for name in names
        }
        assert await status(owner, "readWebhook", made) == 404


async def test_without_a_key_or_its_scope_nothing_is_told(api: Api, shared_system: System) -> None:
    async with api.as_(None) as nobody, api.as_("sw_unknown_key") as stranger, api.as_("a token") as holder:
        for somebody in (nobody, stranger, holder):
            assert {await status(somebody, name, "wh_1") for name in OPERATIONS} == {401}
    async with api.as_(await shared_system.key("sees nothing", "feed")) as blind:
        assert {await status(blind, name, "wh_1") for name in OPERATIONS} == {403}


async def test_another_ones_webhook_is_as_if_there_were_none_but_for_an_admin(api: Api, shared_system: System) -> None:
    async with api.as_(await shared_system.key("has one", "stock:read:*")) as owner:
        made = (await owner.post("/v1/webhooks", json=WISH)).json()["id"]
    async with api.as_(await shared_system.key("has none", "stock:read:*")) as other:
        assert {await status(other, name, made) for name in OF_ONE} == {404}
        assert (await other.get("/v1/webhooks")).json()["webhooks"] == []
    async with api.as_(await shared_system.admin_key()) as admin:
        assert await status(admin, "readWebhook", made) == 200
        assert made in [one["id"] for one in (await admin.get("/v1/webhooks?limit=1000")).json()["webhooks"]]


async def test_what_cannot_be_read_names_its_field_and_the_reason(api: Api, shared_system: System) -> None:
    async with api.as_(await shared_system.key("misspells", "stock:read:*")) as owner:
        made = (await owner.post("/v1/webhooks", json=WISH)).json()["id"]
        for name in OPERATIONS:
            spoilt = {"content": b"{"} if name in BODIES else {"params": {"nonsense": "1"}}
            assert await status(owner, name, made, **spoilt) == 400, name
        for name in BODIES:
            assert await status(owner, name, made, json={"nonsense": 1}) == 422
            assert await status(owner, name, made, content=b" " * (BODY_BYTES_MAX + 1)) == 413
            assert await status(owner, name, made, content=b"{}", headers={"Content-Encoding": "gzip"}) == 415


async def test_an_outage_is_503_everywhere_and_says_which(shared_system: System) -> None:
    key, nowhere = await shared_system.key("meets outages", "stock:read:*"), "http://127.0.0.1:1"
    async with serving(shared_system, ledger_url=nowhere) as api, api.as_(key) as owner:
        answer = await owner.get("/v1/webhooks")
        assert (answer.status_code, answer.json()["detail"][:26]) == (503, "the ledger does not answer")
    async with serving(shared_system, key="sw_no_key") as api, api.as_(key) as owner:
        detail = (await owner.get("/v1/webhooks")).json()["detail"]
        assert detail == "the ledger does not take the key of this process"
    away = "postgresql://nobody@127.0.0.1:1/nothing"
    async with serving(shared_system, database_url=away) as api, api.as_(key) as owner:
        assert {await status(owner, name, "wh_1") for name in OPERATIONS} == {503}


async def test_no_such_path_and_no_such_method(api: Api) -> None:
    async with api.as_(None) as nobody:
        assert (await nobody.get("/v1/nonsense")).status_code == 404
        assert (await nobody.delete("/v1/webhooks")).status_code == 405
        assert (await nobody.get("/v1/webhooks/")).status_code in (401, 404)


async def test_one_key_that_asks_too_often_is_told_when_to_come_back_and_others_are_served(
    shared_system: System, unique_name: str
) -> None:
    keys = [await shared_system.key(f"{unique_name}-{n}", "stock:read:*") for n in range(2)]
    async with serving(shared_system, rate_per_s=0.01) as api, api.as_(keys[0]) as busy, api.as_(keys[1]) as other:
        answer = await busy.get("/v1/webhooks")
        assert (answer.status_code, answer.headers["RateLimit-Policy"]) == (200, '"key";q=1;w=100')
        answer = await busy.get("/v1/webhooks")
        told = answer.json()
        assert (answer.status_code, told["type"], told["quota"], told["window_s"]) == (429, "rate-limited", 1, 100)
        assert 1 <= int(answer.headers["Retry-After"]) == told["retry_after_s"] <= 100
        assert (await other.get("/v1/webhooks")).status_code == 200


def test_every_status_described_is_provoked_here() -> None:
    provoked = {"200", "201", "202", "204", "400", "401", "403", "404", "413", "415", "422", "429", "503", "default"}
    assert {one for _, _, operation in OPERATIONS.values() for one in operation["responses"]} == provoked
    assert {name for name, (_, _, one) in OPERATIONS.items() if "413" in one["responses"]} == set(BODIES)


async def status(somebody: httpx.AsyncClient, name: str, made: str, **spoilt: Any) -> int:
    """Of one request that is right in every way, but for ``spoilt``."""
    method, path, _ = OPERATIONS[name]
    arguments: dict[str, Any] = {} if "content" in spoilt or name not in BODIES else {"json": BODIES[name]}
    return (await somebody.request(method, path.replace("{id}", made), **{**arguments, **spoilt})).status_code
