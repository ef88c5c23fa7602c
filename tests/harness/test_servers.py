"""The servers under the other tests: they come back at the same address, with the data that the fault leaves."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
import redis.asyncio

from tests.harness.api_keys import TOKEN_SECRET, make_token
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import proxy_to_socket
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import wait_until
from wire.tokens import OURS, SHARED_SECRET, verify


async def test_a_clone_is_migrated_and_empty(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("select shards from ledger_meta") == 4
        assert await connection.fetchval("select count(*) from stock_event") == 0
    finally:
        await connection.close()


def test_postgres_comes_back_after_sigkill_with_what_was_committed(private_postgres: PostgresServer) -> None:
    private_postgres.execute("create table fact (n int)")
    private_postgres.execute("insert into fact values (1)")
    address = private_postgres.url()
    private_postgres.kill()
    with pytest.raises((OSError, asyncpg.PostgresError)):
        private_postgres.execute("select 1")
    private_postgres.start()
    assert private_postgres.url() == address
    assert [row["n"] for row in private_postgres.execute("select n from fact")] == [1]


def test_postgres_goes_back_to_a_saved_folder(private_postgres: PostgresServer) -> None:
    private_postgres.execute("create table fact (n int)")
    private_postgres.save("before")
    private_postgres.start()
    private_postgres.execute("insert into fact values (2)")
    private_postgres.restore("before")
    private_postgres.start()
    assert private_postgres.execute("select n from fact") == []


async def test_valkey_comes_back_after_sigkill_without_what_it_held(private_valkey: ValkeyServer) -> None:
    async with redis.asyncio.Redis.from_url(private_valkey.url) as client:
        await client.set("key", "value")
    private_valkey.kill()
    private_valkey.start()
    async with redis.asyncio.Redis.from_url(private_valkey.url) as client:
        assert await client.get("key") is None


async def test_both_are_reached_through_a_proxy(private_postgres: PostgresServer, private_valkey: ValkeyServer) -> None:
    async with proxy_to_socket(private_postgres.socket) as postgres, proxy_to_socket(private_valkey.socket) as valkey:
        connection = await asyncpg.connect(private_postgres.proxied_url(postgres.port), ssl=False)
        assert await connection.fetchval("select 1") == 1
        await connection.close()
        async with redis.asyncio.Redis.from_url(private_valkey.proxied_url(valkey.port)) as client:
            assert await client.ping()
        assert postgres.down.bytes_passed > 0 < valkey.down.bytes_passed


async def test_waiting_says_what_it_saw_last() -> None:
    async def never() -> int:
        return 0

    with pytest.raises(AssertionError, match="the sun; last: 0"):
        await wait_until(never, 0.05, what="the sun")


async def test_waiting_cuts_off_a_call_that_hangs() -> None:
    hang: Callable[[], Awaitable[bool]] = asyncio.Event().wait
    with pytest.raises(AssertionError, match="no answer"):
        await wait_until(hang, 0.05)


async def test_keys_and_tokens_for_tests_are_as_the_real_ones(database_url: str, admin_key: str, hub_key: str) -> None:
    assert admin_key.startswith("sw_")
    assert hub_key != admin_key
    token = make_token("stock:read:*")
    assert verify(token, TOKEN_SECRET, SHARED_SECRET, OURS, time.time()).scopes == {"stock:read:*"}
