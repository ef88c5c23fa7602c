"""Owners change and remove endpoints while something is recorded for them: nobody waits for who waits for them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from followers.database.database import Connection, Database
from followers.webhooks.endpoints import Endpoints, New
from tests.harness.waiting import wait_until

Done = Callable[[Endpoints, str], Awaitable[object]]


async def locks(connection: Connection, endpoint: str, sku: str) -> None:
    await connection.execute("select from behind where endpoint = $1 and sku = $2 for update", endpoint, sku)


@pytest.mark.parametrize("done", [Endpoints.remove, Endpoints.resume, Endpoints.hurry])
async def test_an_owner_and_a_sender_do_not_wait_for_each_other(database: Database, done: Done) -> None:
    endpoints = Endpoints(database)
    made = await endpoints.add(New("key", ("stock:read:*",), "https://a.example", ("x",)), b"", "e", {})
    async with database.transaction() as connection:
        await connection.execute(
            "insert into behind (endpoint, location, sku, epoch, shard, sent_version, newest_version, attempt)"
            " select $1, 'berlin', sku, 'e', 1, 0, 1, 1 from unnest(array['A', 'B']) sku",
            made.id,
        )
    async with database.transaction() as sender:
        await sender.execute("select from lease where endpoint = $1 for share", made.id)
        await locks(sender, made.id, "B")
        owner = asyncio.ensure_future(done(endpoints, made.id))

        async def waits() -> bool:
            async with database.transaction() as other:
                return bool(await other.fetchval("select exists (select from pg_locks where not granted)"))

        await wait_until(waits)
        await locks(sender, made.id, "A")
        await sender.execute(
            "insert into attempt (endpoint, message, type, elapsed_ms) values ($1, 'm', 't', 1)", made.id
        )
    assert await owner
