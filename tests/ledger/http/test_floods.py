"""Too many connections, heads that are too large or too slow, more requests than a ledger takes: others get through."""

import asyncio
import re
from contextlib import AsyncExitStack

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from ledger.http.serving import create_server
from server.http import connection as http_connection
from server.http.body_limits import BODY_DEADLINE_S
from server.http.connection import AHEAD_MAX, HEAD_BYTES_MAX, HEADERS_MAX
from server.http.connection_table import ConnectionTable
from server.http.listening import bind, url_of
from tests.conftest import StartHub, StartLedger
from tests.harness.servers import Server
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.access.test_shared_rates import metric
from tests.ledger.api import Api, problem, receipt
from tests.ledger.held_rows import locked
from tests.ledger.http.test_limits import answer_to, connection

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"
LAST_REQUEST = REQUEST[:-2] + b"Connection: close\r\n\r\n"


async def turned_away(ledger: Server, reason: str) -> float:
    return await metric(ledger, rf'turned_away_total\{{reason="{reason}"\}}')


def done_or_not_now(answer: httpx.Response) -> bool:
    """Of a write that waited for locked rows: a ledger waits for them about 10 s here."""
    return answer.is_success or problem(answer) == (503, "unavailable")


# --- heads


def padded(bytes_: int) -> bytes:
    """A head of so many bytes in all."""
    start, end = b"GET /healthz HTTP/1.1\r\nHost: here\r\n", b"Connection: close\r\n\r\n"
    line = b"X-Padding: "
    return start + line + b"x" * (bytes_ - len(start) - len(line) - 2 - len(end)) + b"\r\n" + end


async def test_a_head_of_the_limit_is_taken_and_one_that_is_larger_is_answered_431(http_system: System) -> None:
    assert b" 200 " in (await answer_to(http_system.ledger_url, padded(HEAD_BYTES_MAX)))[:20]
    answer = await answer_to(http_system.ledger_url, padded(HEAD_BYTES_MAX + 100))
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"connection: close" in answer
    assert f'"bytes_max":{HEAD_BYTES_MAX}'.encode() in answer
    assert await turned_away(http_system.ledgers[0], "head_size") >= 1


@pytest.mark.parametrize(
    "sent",
    [
        [b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: here\r\n\r\n"],
        [b"GET / HTTP/1.1\r\nHost: here\r\nX-One: " + b"x" * 200_000 + b"\r\n\r\n"],
        [b"GET / HTTP/1.1\r\nHost: here\r\n"] + [b"X-%d: %s\r\n" % (number, b"x" * 300) for number in range(90)],
        [b"GET / HTTP/1.1\r\nHost: here\r\n", b"X: y\r\n" * HEADERS_MAX, b"\r\n"],
    ],
    ids=["request line", "one header", "in pieces", "many headers"],
)
async def test_header_bombs_are_answered_before_the_connection_ends(http_system: System, sent: list[bytes]) -> None:
    answer = await answer_to(http_system.ledger_url, *sent)
    assert answer.startswith(b"HTTP/1.1 431 "), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_a_large_body_before_the_next_head_is_not_taken_for_a_part_of_it(http_system: System) -> None:
    body = b"x" * (HEAD_BYTES_MAX + 1_000)
    first = b"POST /v1/movements HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % len(body)
    answer = await answer_to(http_system.ledger_url, first + body + LAST_REQUEST[:10], LAST_REQUEST[10:])
    assert re.findall(rb"HTTP/1.1 \d+", answer) == [b"HTTP/1.1 401", b"HTTP/1.1 200"]


async def test_requests_far_ahead_of_their_answers_end_the_connection(http_system: System) -> None:
    try:
        answer = await answer_to(http_system.ledger_url, REQUEST * (AHEAD_MAX * 100))
    except ConnectionResetError:
        answer = b""
    assert answer.count(b"HTTP/1.1 200") <= AHEAD_MAX


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.mark.parametrize("after", [REQUEST, b""], ids=["a later request", "the first request"])
@pytest.mark.parametrize(("start", "drip"), [(b"GET /", b"x"), (b"", b"\r\n")], ids=["a head", "line ends"])
async def test_a_head_that_drips_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, after: bytes, start: bytes, drip: bytes
) -> None:
    """In this process, with a short deadline: the server and its connections are the real ones."""
    if not after:
        monkeypatch.setattr(http_connection, "HEAD_DEADLINE_S", 0.2)
    table = ConnectionTable(10)
    server, listener = create_server(refuse, table), bind("127.0.0.1", 0, "HOST", "PORT")
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(PATIENCE_S), connection(url_of("http", listener, None)) as (reader, writer):
        if after:
            writer.write(after)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
            monkeypatch.setattr(http_connection, "HEAD_DEADLINE_S", 0.2)
        ended = asyncio.create_task(reader.read())
        writer.write(start)
        while not ended.done():
            writer.write(drip)
            await asyncio.wait([ended], timeout=0.02)
    assert table.turned_away["head_time"] == 1
    server.stop()
    await serving


async def test_a_body_that_drips_leaves_others_alone(
    monkeypatch: pytest.MonkeyPatch, http_system: System, api: Api, unique_name: str
) -> None:
    """As many as a ledger has connections to its database: none is held meanwhile."""
    assert BODY_DEADLINE_S == 10
    key = (await http_system.admin_key()).encode()
    head = (
        b"POST /v1/movements HTTP/1.1\r\nHost: x\r\nIdempotency-Key: a\r\nContent-Length: 100\r\nAuthorization: Bearer "
    )
    async with AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(connection(http_system.ledger_url)) for _ in range(30)]
        for _, writer in slow:
            writer.write(head + key + b"\r\n\r\n{")
            await writer.drain()
        await api.stock(unique_name, unique_name, 1)
        async with asyncio.timeout(BODY_DEADLINE_S + PATIENCE_S):
            answers = await asyncio.gather(*(reader.read() for reader, _ in slow))
    assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 400 Bad Request"}
    assert all(b"did not arrive within 10 s" in answer for answer in answers)


# --- connections


async def test_a_flood_of_silent_connections_leaves_room_for_a_client_and_for_the_hub(
    start_ledger: StartLedger, system: System
) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_CONNECTIONS_MAX=20)
    async with (
        Api(ledger.url, await system.hub_key()) as hub,
        Api(ledger.url, await system.admin_key()) as client,
        AsyncExitStack() as stack,
    ):
        assert (await hub.get("/v1/shards")).is_success
        for _ in range(100):
            await stack.enter_async_context(connection(ledger.url))
        assert (await client.get("/v1/items")).is_success
        assert (await hub.get("/v1/shards")).is_success
    assert await metric(ledger, "connections") <= 20
    assert await turned_away(ledger, "evicted") >= 80


@pytest.mark.usefixtures("patient_commits")
async def test_when_every_connection_is_at_work_a_new_one_is_told_to_come_back(
    start_ledger: StartLedger, system: System
) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_CONNECTIONS_MAX=3)
    async with Api(ledger.url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 1)
        async with locked(system.database_url):
            writes = [asyncio.create_task(api.move(receipt("berlin", "A", 1))) for _ in range(3)]

            async def all_at_work() -> bool:
                return await metric(ledger, "in_flight") == 3

            await wait_until(all_at_work)
            answer = await answer_to(ledger.url, REQUEST)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1" in head
            assert b"connection: close" in head
            assert b'"type":"overloaded"' in body
        assert all(done_or_not_now(answer) for answer in await asyncio.gather(*writes))
        assert (await api.get("/v1/items")).is_success
    assert await turned_away(ledger, "connections") == 1


async def test_one_address_may_be_bounded(start_ledger: StartLedger, system: System) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_CONNECTIONS_PER_ADDRESS_MAX=2)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            reader, writer = await stack.enter_async_context(connection(ledger.url))
            writer.write(REQUEST)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert (await answer_to(ledger.url, REQUEST)).startswith(b"HTTP/1.1 503 ")

    async def again() -> bool:
        return (await answer_to(ledger.url, LAST_REQUEST)).startswith(b"HTTP/1.1 200")

    assert await wait_until(again)


# --- requests under way


@pytest.mark.usefixtures("patient_commits")
async def test_above_the_bound_buyers_are_shed_at_once_and_the_hub_still_reads(
    start_ledger: StartLedger, start_hub: StartHub, system: System
) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_IN_FLIGHT_MAX=5)
    hub = await start_hub()
    async with (
        Api(ledger.url, await system.admin_key()) as api,
        Api(ledger.url, await system.hub_key()) as as_hub,
        httpx.AsyncClient(trust_env=False, verify=False) as plain,
    ):
        await system.await_fresh()  # the reads of its start would be under way too
        headers = {"Authorization": f"Bearer {await system.key('shopper', 'stock:read:*')}"}
        await api.stock("berlin", "A", 7)
        assert (await as_hub.get("/v1/shards")).is_success
        async with locked(system.database_url):
            buyers = [
                asyncio.create_task(api.move(receipt("berlin", "A", 1))) for _ in range(8)
            ]  # one may meet the hub's own

            async def full() -> bool:
                if await metric(ledger, "in_flight") >= 5:
                    return True
                buyers.append(asyncio.create_task(api.move(receipt("berlin", "A", 1))))  # for one that was shed
                return False

            await wait_until(full, swallow=httpx.HTTPError)  # of a machine that is busy
            async with asyncio.timeout(PATIENCE_S):
                late = [asyncio.create_task(api.move(receipt("berlin", "A", 1))) for _ in range(3)]
                done, _ = await asyncio.wait(late, return_when=asyncio.FIRST_COMPLETED)
                for shed in [task.result() for task in done]:
                    assert problem(shed) == (503, "overloaded")
                    assert int(shed.headers["retry-after"]) >= 1
                buyers += late  # one may have the place of the hub's own
                for _ in range(3):
                    assert (await as_hub.get("/v1/shards")).is_success
                assert (await api.get("/healthz")).is_success
                assert (await api.get("/readyz")).is_success
            assert sum(not buyer.done() for buyer in buyers) >= 4, "the others waited no longer"
            level = await plain.get(f"{hub.url}/v1/levels/berlin/A", headers=headers)
            assert level.json()["on_hand"] == 7, "the hub had to ask the ledger for the key and the level"
        answers = await asyncio.gather(*buyers)
        taken = [answer for answer in answers if answer.is_success or problem(answer) != (503, "overloaded")]
        assert 4 <= len(taken) <= 5
        assert all(done_or_not_now(answer) for answer in taken)
        assert (await api.get("/v1/items")).is_success
    assert await turned_away(ledger, "in_flight") >= 1


async def test_long_polls_do_not_count_as_under_way(start_ledger: StartLedger, system: System) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_IN_FLIGHT_MAX=1)
    async with Api(ledger.url, await system.admin_key()) as api:
        poll = asyncio.create_task(api.get("/v1/events?shard=0&after=0&wait=30"))

        async def waits() -> bool:
            return await metric(ledger, "long_polls") == 1

        async def taken() -> bool:
            return (await api.get("/v1/items")).is_success

        await wait_until(waits)
        await wait_until(taken)  # a heartbeat wakes the poll for a moment, and then it is under way
        assert not poll.done()
        poll.cancel()
        await asyncio.wait([poll])

    async def none() -> bool:
        return await metric(ledger, "in_flight") == 0

    assert await wait_until(none)
