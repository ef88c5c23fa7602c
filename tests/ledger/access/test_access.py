"""Keys and tokens over HTTP: who gets in, for how long, and what a revocation ends."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from tests.harness.api_keys import make_token
from tests.harness.stream import SUBPROTOCOL
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S
from tests.ledger.api import Api, field, problem, receipt
from wire.channels import revocation_channel

KNOWN_ID = "abcdefghijkl"


async def new_key(api: Api, *scopes: str, **more: object) -> tuple[str, str]:
    """Id and text."""
    made = (await api.post("/v1/keys", {"owner": "till", "scopes": list(scopes), **more})).json()
    return made["id"], made["key"]


async def test_a_revoked_key_and_its_tokens_end_at_once(http_system: System, api: Api, unique_name: str) -> None:
    key_id, key = await new_key(api, "stock:read:*")
    async with Api(http_system.ledger_url, key) as holder:
        token = (await holder.post("/v1/tokens", {"scopes": ["stock:read:berlin"]})).json()["token"]
        async with Api(http_system.ledger_url, token) as browser:
            assert (await holder.get("/v1/items")).is_success
            assert (await browser.get("/v1/items")).is_success
            for _ in range(2):
                assert (await api.send("DELETE", f"/v1/keys/{key_id}")).status_code == 204
            assert problem(await holder.get("/v1/items")) == (401, "unauthorized")
            assert problem(await browser.get("/v1/items")) == (401, "unauthorized")
    listed = (await api.get("/v1/keys", params={"limit": 1000})).json()["keys"]
    assert [entry["revoked_at"] is not None for entry in listed if entry["id"] == key_id] == [True]


async def test_a_revocation_is_told_to_the_hubs_at_once(http_system: System, api: Api) -> None:
    """Hubs ask again about the keys in use every 2 s: what is open would end too late without this, and still end."""
    key_id, _ = await new_key(api, "stock:read:*")
    channel = revocation_channel(http_system.channel_prefix)
    async with Redis.from_url(http_system.redis_url) as redis, redis.pubsub() as pubsub:
        await pubsub.subscribe(channel)
        assert (await api.send("DELETE", f"/v1/keys/{key_id}")).status_code == 204
        async with asyncio.timeout(PATIENCE_S):
            async for message in pubsub.listen():
                if message["type"] == "message" and json.loads(message["data"]) == {"key": key_id}:
                    break


async def test_a_rotated_key_of_the_same_owner_replays(http_system: System, api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name)
    keys = [(await new_key(api, "stock:write:*"))[1] for _ in range(2)]
    answers = []
    for key in keys:
        async with Api(http_system.ledger_url, key) as holder:
            answers.append(await holder.move(receipt(unique_name, unique_name, 1), f"rotated-{unique_name}"))
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert answers[0].json()["events"][0]["actor"] == "till"


async def test_owners_do_not_share_idempotency_keys(http_system: System, api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name)
    for owner in ("a", "b"):
        key = await http_system.key(f"{owner}-{unique_name}", "stock:write:*")
        async with Api(http_system.ledger_url, key) as holder:
            answer = await holder.move(receipt(unique_name, unique_name, 1), "same")
            assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (201, None)


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "Basic abc",
        "Bearer",
        "Bearer sw_",
        f"Bearer sw_{KNOWN_ID}_" + "x" * 43,
        f"Bearer sw_{KNOWN_ID}_" + "x" * 43 + "\u00e9",
        "Bearer a.b.c",
        "Bearer " + make_token("stock:read:*", secret="another secret that is long enough"),
        "Bearer " + make_token("stock:read:*", ttl_s=-1),
        "Bearer " + make_token("stock:read:*", key="no-such-key"),
        "Bearer " + make_token("stock:read:*", key="\x00"),
        "Bearer eyJhbGciOiJub25lIn0.e30.",
    ],
)
async def test_a_bad_credential_is_refused(anonymous: Api, credential: str) -> None:
    headers = {"Authorization": credential.encode("latin-1")}
    answer = await anonymous.get("/v1/items", headers=headers)
    assert (problem(answer), answer.headers["www-authenticate"]) == ((401, "unauthorized"), "Bearer")


async def test_the_secret_of_another_key_opens_nothing(http_system: System, api: Api) -> None:
    (first, _), (_, second) = await new_key(api, "feed"), await new_key(api, "feed")
    async with Api(http_system.ledger_url, f"sw_{first}_{second.split('_', 2)[2]}") as thief:
        assert problem(await thief.get("/v1/shards")) == (401, "unauthorized")


async def test_a_token_has_its_own_scopes_and_makes_no_tokens(http_system: System, api: Api) -> None:
    token = (await api.post("/v1/tokens", {"scopes": ["stock:read:berlin"], "ttl_s": 60})).json()["token"]
    async with Api(http_system.ledger_url, token) as browser:
        assert problem(await browser.get("/v1/levels")) == (403, "forbidden")
        assert problem(await browser.post("/v1/tokens", {"scopes": ["stock:read:berlin"]})) == (401, "unauthorized")


async def test_a_token_has_no_more_than_its_key(http_system: System, api: Api) -> None:
    _, key = await new_key(api, "stock:read:berlin", "stock:write:berlin")
    async with Api(http_system.ledger_url, key) as holder:
        for scope in ("stock:read:*", "stock:read:paris", "feed", "hub", "admin"):
            answer = await holder.post("/v1/tokens", {"scopes": ["stock:read:berlin", scope]})
            assert (problem(answer), answer.json()["scope"]) == ((403, "forbidden"), scope)
        assert (await holder.post("/v1/tokens", {"scopes": ["stock:read:berlin"]})).status_code == 201


async def test_a_token_ends_no_later_than_its_key(http_system: System, api: Api) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=30)
    _, key = await new_key(api, "stock:read:*", expires_at=ends.isoformat())
    async with Api(http_system.ledger_url, key) as holder:
        made = (await holder.post("/v1/tokens", {"scopes": ["stock:read:berlin"], "ttl_s": 3600})).json()
    assert datetime.fromisoformat(made["expires_at"]) <= ends


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"scopes": ["stock:read:a/b"]}, "scopes[0]"),
        ({"scopes": ["feed", "stock:delete:*"]}, "scopes[1]"),
        ({"scopes": []}, "scopes"),
        ({"scopes": "feed"}, "scopes"),
        ({"owner": ""}, "owner"),
        ({"owner": "a\u0000b"}, "owner"),
        ({"owner": "x" * 129}, "owner"),
        ({"name": "a\nb"}, "name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
    ],
)
async def test_a_key_that_makes_no_sense_is_not_made(api: Api, change: dict[str, object], named: str) -> None:
    assert field(await api.post("/v1/keys", {"owner": "till", "scopes": ["feed"], **change})) == (422, named)


@pytest.mark.parametrize("change", [{"ttl_s": 0}, {"ttl_s": 3601}, {"scopes": []}, {"scopes": ["nonsense"]}])
async def test_a_token_that_makes_no_sense_is_not_made(api: Api, change: dict[str, object]) -> None:
    assert problem(await api.post("/v1/tokens", {"scopes": ["feed"], **change})) == (422, "invalid")


async def test_a_hub_asks_about_keys(hub_api: Api, api: Api) -> None:
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    key_id, key = await new_key(api, "stock:read:berlin", "feed", expires_at=ends)
    good = (await hub_api.post("/v1/keys/introspect", {"key": key})).json()
    assert (good["active"], good["id"], good["owner"]) == (True, key_id, "till")
    assert good["scopes"] == ["feed", "stock:read:berlin"]
    assert (await hub_api.post("/v1/keys/introspect", {"id": key_id})).json() == good
    assert field(await hub_api.post("/v1/keys/introspect", {"id": key_id, "key": key})) == (422, "key")
    assert field(await hub_api.post("/v1/keys/introspect", {})) == (422, "key")
    asked = {"ids": [key_id, "unknown", "no id", "x" * 64]}
    assert (await hub_api.post("/v1/keys/introspect", asked)).json() == {"ids": [key_id]}
    await api.send("DELETE", f"/v1/keys/{key_id}")
    assert (await hub_api.post("/v1/keys/introspect", asked)).json() == {"ids": []}
    for gone in (key_id, "unknown", "no id"):
        assert (await hub_api.post("/v1/keys/introspect", {"id": gone})).json() == {"active": False}
    for bad in (key, key[:-1], "nonsense", "sw_" + "a" * 12 + "_" + "b" * 43):
        assert (await hub_api.post("/v1/keys/introspect", {"key": bad})).json() == {"active": False}


async def test_a_hub_reads_levels_and_the_feed_and_writes_nothing(hub_api: Api, api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 1)
    for path in ("/v1/levels", f"/v1/levels/{unique_name}/{unique_name}", "/v1/shards", "/v1/events?shard=0"):
        assert (await hub_api.get(path)).is_success
    assert problem(await hub_api.move(receipt(unique_name, unique_name, 1))) == (403, "forbidden")
    assert problem(await hub_api.get("/v1/keys")) == (403, "forbidden")


async def test_only_listed_origins_may_read_answers(anonymous: Api) -> None:
    allowed = await anonymous.get("/v1/discovery", headers={"Origin": "https://shop.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    assert allowed.json()["protocol"] == SUBPROTOCOL
    other = await anonymous.get("/v1/discovery", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization, idempotency-key, if-match",
    }
    preflight = await anonymous.client.options("/v1/levels/berlin/A", headers=asked)
    assert preflight.status_code == 200
    assert "PUT" in preflight.headers["access-control-allow-methods"]


async def test_a_token_lasts_as_long_as_it_says(api: Api) -> None:
    before = int(time.time())
    made = (await api.post("/v1/tokens", {"scopes": ["feed"], "ttl_s": 100})).json()
    assert before + 100 <= datetime.fromisoformat(made["expires_at"]).timestamp() <= time.time() + 100
