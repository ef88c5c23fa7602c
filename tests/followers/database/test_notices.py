"""Notices: told to whoever asked for them, in the transaction of whoever tells."""

import contextlib
from dataclasses import replace

import pytest

from followers.channel_types import DRIFT, OVERSOLD
from followers.database import notices
from followers.database.database import Database
from followers.database.notices import tell
from followers.webhooks.endpoints import Endpoints, New

NEW = New("key1", ("stock:read:*",), "https://shop.example/hook", (OVERSOLD,))


class Undone(Exception):
    pass


async def waiting(database: Database) -> dict[str, int]:
    """How many, by endpoint."""
    async with database.transaction() as connection:
        rows = await connection.fetch("select endpoint, count(*) as n from notice group by endpoint")
    return {row["endpoint"]: row["n"] for row in rows}


@pytest.fixture(autouse=True)
async def channel(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "insert into channel (id, vendor, owner, settings, sealed, locations)"
            " values ('shop', 'any', 'key1', '{}', '', '{berlin}')"
        )


async def test_those_are_told_who_asked_for_the_type_may_see_the_channel_and_what_it_is_about(
    database: Database,
) -> None:
    endpoints = Endpoints(database)

    async def made(**more: object) -> str:
        return (await endpoints.add(replace(NEW, **more), b"sealed", "e1", {})).id  # type: ignore[arg-type]  # by name

    anything, other_type = await made(), await made(types=(DRIFT,))
    somebody_else, admin = await made(owner="key2"), await made(owner="key3", scopes=("admin",))
    mugs, other_sku = await made(skus=("mug",)), await made(skus=("cup",))
    paused = await made()
    await endpoints.pause(paused)
    async with database.transaction() as connection:
        assert await tell(connection, OVERSOLD, "shop", {"order": 7}, sku="mug") == 4
    assert await waiting(database) == dict.fromkeys((anything, admin, mugs, paused), 1)
    async with database.transaction() as connection:
        assert await tell(connection, OVERSOLD, "shop", {}) == 5
    found = await waiting(database)
    assert found == {anything: 2, admin: 2, mugs: 2, paused: 2, other_sku: 1}
    assert not {other_type, somebody_else} & set(found)


async def test_what_is_rolled_back_is_told_to_nobody(database: Database) -> None:
    await Endpoints(database).add(NEW, b"sealed", "e1", {})
    told = 0
    with contextlib.suppress(Undone):
        async with database.transaction() as connection:
            told = await tell(connection, OVERSOLD, "shop", {})
            raise Undone
    assert told == 1
    assert await waiting(database) == {}


async def test_who_takes_nothing_has_a_bounded_number_of_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "WAITING_MAX", 2)
    made = await Endpoints(database).add(NEW, b"sealed", "e1", {})
    async with database.transaction() as connection:
        assert [await tell(connection, OVERSOLD, "shop", {}) for _ in range(3)] == [1, 1, 0]
    assert await waiting(database) == {made.id: 2}
