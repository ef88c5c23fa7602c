"""Which ledger a hub asks next when one does not serve it, and what it takes for a refusal that all would give."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from hub.errors import LedgerRefused, LedgerUnavailable
from hub.feed import ledger_client
from hub.feed.ledger_client import LedgerClient
from ledger.http.routes import levels

HEADS = json.dumps({"epoch": "e", "shards": [{"shard": 0, "head": 7}]}).encode()


class Ledger:
    """Answers everything with ``status``. ``asked``: how often."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.asked = 0
        self.url = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        head = b"HTTP/1.1 %d Status\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (self.status, len(HEADS))
        writer.write(head + HEADS)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def ledgers(*statuses: int) -> AsyncIterator[tuple[LedgerClient, list[Ledger]]]:
    told = [Ledger(status) for status in statuses]
    servers = [await asyncio.start_server(ledger.take, "127.0.0.1", 0) for ledger in told]
    for ledger, server in zip(told, servers, strict=True):
        ledger.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        async with LedgerClient([ledger.url for ledger in told], "key") as client:
            yield client, told
    finally:
        for server in servers:
            server.close()


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_ledger_that_serves_nobody_now_is_passed_over_for_the_next_and_that_one_is_stayed_with(
    status: int,
) -> None:
    async with ledgers(status, 200) as (client, (busy, good)):
        for _ in range(2):
            assert (await client.heads()).by_shard() == {0: 7}
        assert (busy.asked, good.asked) == (1, 2)


async def test_when_all_are_busy_it_is_for_now() -> None:
    async with ledgers(429, 503) as (client, told):
        with pytest.raises(LedgerUnavailable, match=r"429 .*503 "):
            await client.heads()
        assert [ledger.asked for ledger in told] == [1, 1]


@pytest.mark.parametrize("status", [400, 403, 404, 413])
async def test_what_one_ledger_refuses_is_asked_of_no_other(status: int) -> None:
    async with ledgers(status, 200) as (client, told):
        with pytest.raises(LedgerRefused) as refused:
            await client.heads()
        assert refused.value.status == status
        assert [ledger.asked for ledger in told] == [1, 0]


@pytest.mark.parametrize("location", [None, "berlin", 'a>;,"&=?#%+'])
@pytest.mark.parametrize("after", ["a/berlin", 'm\u00fcg,<x>;"&=?#%+/\U0001f600', "%2F%25/+"])
def test_where_the_next_page_begins_is_read_as_a_ledger_says_it(location: str | None, after: str) -> None:
    answer = httpx.Response(200, headers=levels._link(location, after, 5_000))
    assert ledger_client._following(answer) == after


def test_a_ledger_that_does_not_say_where_the_next_page_begins_is_no_error() -> None:
    assert ledger_client._following(httpx.Response(200)) is None
    assert ledger_client._following(httpx.Response(200, headers=levels._link("berlin", None, 5_000))) is None
