"""Webhooks through the API: what is made, shown once, changed, refused with its field, and sent once more."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from followers.sealing import Seal, new_sealing_key
from followers.webhooks.api.replays import NOT_THERE
from followers.webhooks.api.routes import ENDPOINTS_MAX
from followers.webhooks.api.shown import UNOPENED
from followers.webhooks.endpoints import Span
from followers.webhooks.secrets import open_ring, seal_ring
from followers.webhooks.signature import key_of
from stockwire import AsyncClient, Event
from tests.followers.webhooks.api.asking import WISH, Api, serving
from tests.harness.system import System

OWN = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
async def api(shared_system: System) -> AsyncIterator[Api]:
    async with serving(shared_system) as api:
        yield api


@pytest.fixture
async def owner(api: Api, shared_system: System, unique_name: str) -> AsyncIterator[httpx.AsyncClient]:
    async with api.as_(await shared_system.key(unique_name, "stock:read:*")) as owner:
        yield owner


async def made(owner: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await owner.post("/v1/webhooks", json={**WISH, **fields})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def refused(owner: httpx.AsyncClient, path: str = "/v1/webhooks", **fields: Any) -> tuple[int, str, str]:
    body = {**WISH, **fields} if path == "/v1/webhooks" else fields
    answer = await owner.post(path, json=body)
    return answer.status_code, answer.json().get("field"), answer.json().get("reason")


async def test_a_secret_is_made_shown_once_and_lies_sealed(owner: httpx.AsyncClient, api: Api) -> None:
    new = await made(owner)
    assert key_of(new["secret"]).text == new["secret"]
    sealed = await api.endpoints.sealed(new["id"])
    assert sealed is not None
    assert new["secret"][6:].encode() not in sealed
    assert open_ring(api.seal, sealed).newest.text == new["secret"]
    for path in ("/v1/webhooks", f"/v1/webhooks/{new['id']}"):
        assert "whsec_" not in (await owner.get(path)).text


async def test_of_a_pair_of_keys_only_the_public_half_is_shown(owner: httpx.AsyncClient, api: Api) -> None:
    new = await made(owner, signature="v1a")
    assert (new["signature"], new["secret"], new["public_key"][:5]) == ("v1a", None, "whpk_")


async def test_a_secret_that_the_caller_sends_is_taken_and_not_sent_back(owner: httpx.AsyncClient, api: Api) -> None:
    new = await made(owner, secret=OWN)
    assert new["secret"] is None
    sealed = await api.endpoints.sealed(new["id"])
    assert sealed is not None
    assert open_ring(api.seal, sealed).newest.text == OWN


async def test_after_a_rotation_both_keys_sign(owner: httpx.AsyncClient, api: Api) -> None:
    new = await made(owner, secret=OWN)
    rotated = (await owner.post(f"/v1/webhooks/{new['id']}/rotate")).json()
    sealed = await api.endpoints.sealed(new["id"])
    assert sealed is not None
    now_s = datetime.now(UTC).timestamp()
    ring = open_ring(api.seal, sealed)
    assert [key.text for key in ring.signing(now_s)] == [rotated["secret"], OWN]
    assert [key.text for key in ring.signing(now_s + 86_401)] == [rotated["secret"]]


async def test_a_webhook_is_changed_as_a_whole_and_keeps_its_state(owner: httpx.AsyncClient) -> None:
    new = await made(owner, types=["stock.*", "hold.created"], skus=["A", "A", "B"], mode="latest", rate_per_s=5)
    assert new["types"] == ["stock.changed", "stock.low", "stock.out", "stock.back", "hold.created"]
    assert (new["skus"], new["batch"]) == (["A", "B"], 1)
    path = f"/v1/webhooks/{new['id']}"
    assert (await owner.post(f"{path}/pause")).json()["state"] == "paused"
    changed = (await owner.put(path, json={**WISH, "batch": 10})).json()
    assert (changed["state"], changed["batch"], changed["skus"], changed["mode"]) == ("paused", 10, [], "every")
    assert (await owner.post(f"{path}/resume")).json()["state"] == "enabled"
    standing = (await owner.get(path)).json()
    assert (standing["levels_behind"], standing["failing_since"]) == (0, None)


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"url": "http://shop.example/"}, "url", "must begin with https://"),
        ({"url": "https://10.0.0.1/"}, "url", "leads to an address that is not reached from here (private)"),
        ({"url": "https://a:b@shop.example/"}, "url", "has credentials"),
        ({"url": "https://shop.example:22/"}, "url", "has port 22: use one of 443, 8443"),
        ({"types": []}, "types", "Expected `array` of length >= 1"),
        ({"types": ["stock.changed", "stock.moved"]}, "types[1]", "must be one of stock.changed, "),
        ({"types": ["item.changed"]}, "types[0]", "cannot be asked for: changes of items are not in the log"),
        ({"types": ["channel.moved"]}, "types[0]", "must be one of stock.changed, "),
        ({"types": ["webhook.test"]}, "types[0]", "must be one of "),
        ({"locations": ["a b"]}, "locations[0]", "must be 1 to 64 visible characters"),
        ({"mode": "some"}, "mode", "Invalid enum value 'some'"),
        ({"batch": 101}, "batch", "Expected `int` <= 100"),
        ({"rate_per_s": 0}, "rate_per_s", "Expected `float` >= 0.01"),
        ({"secret": "whsec_c2hvcnQ="}, "secret", "has 5 bytes: a whsec_ secret has 24 to 64, in base64"),
        ({"secret": "hush"}, "secret", "must begin with whsec_ or whsk_"),
        ({"signature": "v2"}, "signature", "Invalid enum value 'v2'"),
    ],
)
async def test_what_cannot_work_is_refused_naming_its_field(
    owner: httpx.AsyncClient, fields: dict[str, Any], field: str, reason: str
) -> None:
    status, named, said = await refused(owner, **fields)
    assert (status, named) == (422, field)
    assert said.startswith(reason)


async def test_a_location_that_the_key_does_not_see_is_refused(api: Api, shared_system: System) -> None:
    async with api.as_(await shared_system.key("berlin only", "stock:public:berlin")) as owner:
        assert (await made(owner, locations=["berlin"]))["scopes"] == ["stock:public:berlin"]
        answer = await owner.post("/v1/webhooks", json={**WISH, "locations": ["berlin", "paris"]})
        assert (answer.status_code, answer.json()["scope"]) == (403, "stock:read:paris")


async def test_channels_are_told_of_to_whoever_reads_all_stock(
    owner: httpx.AsyncClient, api: Api, shared_system: System
) -> None:
    new = await made(owner, types=["channel.*", "stock.out"])
    assert new["types"] == ["stock.out", "channel.stopped", "channel.oversold", "channel.drift", "channel.unmapped"]
    async with api.as_(await shared_system.key("berlin reader", "stock:read:berlin")) as reader:
        answer = await reader.post("/v1/webhooks", json={**WISH, "types": ["channel.drift", "channel.unmapped"]})
        assert (answer.status_code, answer.json()["scope"]) == (403, "stock:read:*")


async def test_one_key_has_a_bounded_number_of_webhooks(
    owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("followers.webhooks.api.routes.ENDPOINTS_MAX", 1)
    assert ENDPOINTS_MAX == 100
    await made(owner)
    assert await refused(owner) == (422, "body", "this key has 1 webhooks: remove one first")


async def test_pages_go_on_where_the_one_before_ended(owner: httpx.AsyncClient) -> None:
    all_of_them = sorted([(await made(owner))["id"] for _ in range(3)])
    first = (await owner.get("/v1/webhooks?limit=2")).json()
    second = (await owner.get("/v1/webhooks", params={"limit": 2, "after": first["next"]})).json()
    assert [one["id"] for one in (*first["webhooks"], *second["webhooks"])] == all_of_them
    assert second["next"] is None


async def test_a_replay_is_counted_first_and_found_by_id_and_by_time(
    owner: httpx.AsyncClient, api: Api, shared_client: AsyncClient, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Span] = []

    async def keep(_: str, spans: list[Span]) -> str:
        begun.extend(spans)
        return "replay_1"

    monkeypatch.setattr(api.endpoints, "replay", keep)
    path = f"/v1/webhooks/{(await made(owner))['id']}/replay"
    first, second, third = await three_events(shared_client, unique_name)
    message = f"{await epoch_of(api)}_{first.shard}_{first.seq}_stock-changed"

    answer = await owner.post(path, json={"message": message, "dry_run": True})
    counted = {"dry_run": True, "messages": 1, "complete": True, "levels": 0, "replay": None}
    assert (answer.status_code, answer.json()) == (200, counted)
    assert begun == []
    answer = await owner.post(path, json={"message": message})
    assert (answer.status_code, answer.json()["replay"]) == (202, "replay_1")
    assert [(span.shard, span.first, span.last) for span in begun] == [(first.shard, first.seq, first.seq)]

    begun.clear()
    between = {"since": second.committed_at.isoformat(), "until": third.committed_at.isoformat()}
    messages = (await owner.post(path, json={**between, "dry_run": True})).json()["messages"]
    await owner.post(path, json=between)
    (span,) = [span for span in begun if span.shard == second.shard]
    assert (span.first, span.last) == (second.seq, third.seq - 1)
    assert messages == sum(span.last - span.first + 1 for span in begun)
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert (await owner.post(path, json={"since": later})).json()["messages"] == 0


async def test_a_replay_counts_what_its_owner_may_see_and_nothing_else(
    api: Api, shared_client: AsyncClient, shared_system: System, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("followers.webhooks.api.replays.COUNTED_MAX", 10**9)
    events = await three_events(shared_client, unique_name)
    hidden = (await three_events(shared_client, f"{unique_name}-hidden"))[0]
    async with api.as_(await shared_system.key(unique_name, f"stock:read:{unique_name}")) as narrow:
        path = f"/v1/webhooks/{(await made(narrow))['id']}/replay"
        asked = {"since": "2000-01-01T00:00:00Z", "dry_run": True}
        answer = await narrow.post(path, json=asked)
        assert (answer.json()["messages"], answer.json()["complete"]) == (len(events), True)
        epoch = await epoch_of(api)
        for seq in (hidden.seq, 9_999_999):
            message = f"{epoch}_{hidden.shard}_{seq}_stock-changed"
            assert await refused(narrow, path, message=message, dry_run=True) == (422, "message", NOT_THERE)


async def test_what_is_looked_at_for_a_count_is_bounded_and_one_at_a_time(
    owner: httpx.AsyncClient, shared_client: AsyncClient, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("followers.webhooks.api.replays.COUNTED_MAX", 1)
    await three_events(shared_client, unique_name)
    await three_events(shared_client, f"{unique_name}-other")
    path = f"/v1/webhooks/{(await made(owner))['id']}/replay"
    asked = {"since": "2000-01-01T00:00:00Z", "dry_run": True}
    answers = await asyncio.gather(*(owner.post(path, json=asked) for _ in range(5)))
    done = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(done) < 5
    assert {answer.status_code for answer in answers} == {200, 503}
    assert not any(one["complete"] for one in done)


async def test_of_a_secret_that_cannot_be_opened_everybody_is_told(owner: httpx.AsyncClient, api: Api) -> None:
    lost, good = (await made(owner))["id"], (await made(owner))["id"]
    sealed = await api.endpoints.sealed(lost)
    assert sealed is not None
    other = seal_ring(Seal([new_sealing_key()]), open_ring(api.seal, sealed))
    assert await api.endpoints.reseal(lost, sealed, other)
    listed = {one["id"]: one for one in (await owner.get("/v1/webhooks")).json()["webhooks"]}
    assert (listed[lost]["state"], listed[lost]["reason"]) == ("enabled", UNOPENED)
    assert listed[good]["reason"] is None
    assert (await owner.get(f"/v1/webhooks/{lost}")).json()["reason"] == UNOPENED
    assert (await owner.post(f"/v1/webhooks/{lost}/resume")).json()["reason"] == UNOPENED
    rotated = await owner.post(f"/v1/webhooks/{lost}/rotate")
    assert rotated.status_code == 200, "who has lost a secret needs a new one"
    sealed = await api.endpoints.sealed(lost)
    assert sealed is not None
    assert [one.key.text for one in open_ring(api.seal, sealed).held] == [rotated.json()["secret"]]
    assert (await owner.get(f"/v1/webhooks/{lost}")).json()["reason"] is None


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({}, "message", "one of this, since and failed is required"),
        ({"failed": True, "since": "2026-01-01T00:00:00Z"}, "message", "one of this, since and failed is required"),
        ({"failed": True, "until": "2026-01-01T00:00:00Z"}, "until", "goes with since"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until", "must be after since"),
        ({"since": "yesterday"}, "since", "Invalid RFC3339 encoded datetime"),
        ({"since": "2026-01-01T00:00:00"}, "since", "Expected `datetime` with a timezone component"),
        ({"message": "batch_0123456789abcdef"}, "message", "names no single event: replay by time, with since"),
        ({"message": "an_other_epoch_0_1_stock-changed"}, "message", "is of a history that was rewritten since"),
        ({"message": "{epoch}_0_9999999_stock-changed"}, "message", NOT_THERE),
        ({"message": "{epoch}_77_1_stock-changed"}, "message", NOT_THERE),
    ],
)
async def test_a_replay_of_nothing_names_its_field(
    owner: httpx.AsyncClient, api: Api, shared_client: AsyncClient, fields: dict[str, Any], field: str, reason: str
) -> None:
    path = f"/v1/webhooks/{(await made(owner))['id']}/replay"
    if "message" in fields:
        fields = {"message": fields["message"].replace("{epoch}", await epoch_of(api))}
    status, named, said = await refused(owner, path, **fields)
    assert (status, named) == (422, field)
    assert said.startswith(reason)


async def epoch_of(api: Api) -> str:
    epoch: str = (await api.ledger.shards())["epoch"]
    return epoch


async def three_events(client: AsyncClient, name: str) -> list[Event]:
    await client.locations.put(name, name)
    await client.items.put(name, name)
    for quantity in (1, 2, 3):
        await client.stock.receive(name, name, quantity)
    return [event async for event in client.stock.history(name, name)]
