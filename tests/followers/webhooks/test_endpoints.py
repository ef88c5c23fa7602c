"""Endpoints as they are stored."""

from dataclasses import replace

from followers.database.database import Database
from followers.database.schema import expand
from followers.webhooks.endpoints import Endpoints, New, Span

NEW = New("key1", ("stock:read:*",), "https://shop.example/hook", ("stock.changed",))


async def test_the_schema_is_made_once_however_often_somebody_starts(database: Database) -> None:
    assert await expand(database) == 0


async def test_an_endpoint_is_what_was_asked_for_and_belongs_to_whoever_asked(database: Database) -> None:
    endpoints = Endpoints(database)
    made = await endpoints.add(replace(NEW, skus=("A", "B"), rate_per_s=2.5), b"sealed", "e1", {0: 7, 1: 9})
    assert (made.url, made.skus, made.rate_per_s, made.state) == (NEW.url, ("A", "B"), 2.5, "enabled")
    assert await endpoints.get(made.id) == made == await endpoints.get(made.id, "key1")
    assert await endpoints.get(made.id, "key2") is None
    assert [one.id for one in await endpoints.page("key1")] == [made.id]
    assert await endpoints.page("key2") == []
    assert not await endpoints.remove(made.id, "key2")
    assert await endpoints.remove(made.id, "key1")
    assert await endpoints.get(made.id) is None


async def test_what_is_changed_is_changed_and_nothing_else(database: Database) -> None:
    endpoints = Endpoints(database)
    made = await endpoints.add(NEW, b"sealed", "e1", {0: 0})
    changed = await endpoints.change(made.id, {"mode": "latest", "locations": ("berlin",)}, "key1")
    assert changed == replace(made, mode="latest", locations=("berlin",))
    paused = await endpoints.pause(made.id)
    assert paused is not None
    assert paused.state == "paused"
    assert await endpoints.resume(made.id) == changed


async def test_keys_are_sealed_anew_by_one_at_a_time(database: Database) -> None:
    endpoints = Endpoints(database)
    made = await endpoints.add(NEW, b"first", "e1", {0: 0})
    assert await endpoints.sealed(made.id) == b"first"
    assert await endpoints.reseal(made.id, b"first", b"second")
    assert not await endpoints.reseal(made.id, b"first", b"third")
    assert await endpoints.sealed(made.id) == b"second"
    assert await endpoints.sealed("wh_none") is None


async def test_notices_and_replays_wait_with_their_endpoint(database: Database) -> None:
    endpoints = Endpoints(database)
    made = await endpoints.add(NEW, b"sealed", "e1", {0: 0})
    assert await endpoints.notify(made.id, "webhook.test", {"a": 1}) != await endpoints.notify(made.id, "x", {})
    assert await endpoints.replay(made.id, [Span("e1", 0, 1, 5)])
    assert await endpoints.hurry(made.id) == 0 == await endpoints.failed(made.id)
    assert (await endpoints.standing(made.id)).levels_behind == 0
    assert await endpoints.attempts(made.id) == []
