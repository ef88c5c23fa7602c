"""Requests that are too large, too slow or cut short, as bytes on a real connection."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from ledger.http.connection import LedgerConnection
from server.http import connection as http_connection
from server.http.body_limits import BodyLimits
from server.problems import Invalid, Problem, TooLarge
from tests.conftest import StartLedger
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api, problem, receipt
from tests.simulation.loop import on_virtual_clock


@asynccontextmanager
async def connection(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer_to(url: str, *chunks: bytes) -> bytes:
    async with asyncio.timeout(PATIENCE_S), connection(url) as (reader, writer):
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        return await reader.read()


async def test_a_chunked_body_is_counted_as_it_arrives(api: Api, http_system: System) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    answer = await api.send("POST", "/v1/tokens", content=endless())
    assert problem(answer) == (413, "too-large")
    assert (await api.get("/v1/items")).is_success


async def test_an_answer_before_the_end_of_a_huge_body_closes_the_connection(http_system: System) -> None:
    head = b"POST /v1/movements HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
    answer = await answer_to(http_system.ledger_url, head, b"x" * 300_000)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in answer


async def test_a_small_body_that_nobody_read_keeps_the_connection(http_system: System) -> None:
    async with connection(http_system.ledger_url) as (reader, writer):
        for _ in range(2):
            writer.write(b"POST /v1/movements HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            async with asyncio.timeout(PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 401 ")
                assert b"connection: close" not in head
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_bytes_that_are_no_request_are_refused(http_system: System, sent: bytes) -> None:
    assert b" 400 " in (await answer_to(http_system.ledger_url, sent)).split(b"\r\n")[0]


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"deflate,chunked"])
async def test_chunks_of_something_packed_are_not_read_as_they_are(http_system: System, coding: bytes) -> None:
    key = (await http_system.admin_key()).encode()
    head = b"PUT /v1/items/packed HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nTransfer-Encoding: %s\r\n"
    head += b"Connection: close\r\n\r\n"
    answer = await answer_to(http_system.ledger_url, head % (key, coding), b'c\r\n{"name":"a"}\r\n0\r\n\r\n')
    assert answer.startswith(b"HTTP/1.1 501 "), answer
    assert b'"type":"unsupported-encoding"' in answer


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", b"GET /"])
async def test_an_endless_head_ends_the_connection(http_system: System, sent: bytes) -> None:
    """With an answer, unless bytes that were still on their way turned it into a reset."""
    with contextlib.suppress(ConnectionResetError):
        assert b" 431 " in (await answer_to(http_system.ledger_url, sent, b"x" * 200_000)).split(b"\r\n")[0]


async def test_a_body_that_waits_for_leave_is_not_asked_for_when_it_is_not_wanted(http_system: System) -> None:
    head = b"POST /v1/movements HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
    answer = await answer_to(http_system.ledger_url, head)
    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_a_caller_that_hangs_up_in_the_middle_of_a_body_hurts_nobody(
    http_system: System, api: Api, unique_name: str
) -> None:
    key = (await http_system.admin_key()).encode()
    head = (
        b"POST /v1/movements HTTP/1.1\r\nHost: x\r\nIdempotency-Key: a\r\nContent-Length: 100\r\nAuthorization: Bearer "
    )
    for _ in range(20):
        async with connection(http_system.ledger_url) as (_, writer):
            writer.write(head + key + b"\r\n\r\n{")
            await writer.drain()
    await api.stock(unique_name, unique_name, 1)
    assert "Traceback" not in http_system.ledgers[0].stderr()


async def test_callers_that_hang_up_leak_no_connection_and_no_commit(start_ledger: StartLedger, system: System) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_READ_CONNECTIONS="3")
    async with Api(ledger.url, await system.admin_key()) as api:
        await api.stock("berlin", "A")
        for number in range(60):
            headers = {"Idempotency-Key": f"k-{number}"}
            request = (
                api.client.get("/v1/levels")
                if number % 2
                else api.client.post("/v1/movements", json=receipt("berlin", "A", 1), headers=headers)
            )
            task = asyncio.create_task(request)
            await asyncio.sleep(number * 0.0001)
            task.cancel()
            await asyncio.wait([task])
        answers = await asyncio.gather(*(api.get("/v1/levels") for _ in range(20)))
        assert all(answer.is_success for answer in answers)
        for number in range(0, 60, 2):
            await api.move(receipt("berlin", "A", 1), f"k-{number}")
        assert (await api.get("/v1/levels/berlin/A")).json()["on_hand"] == 30


# --- deadlines, without waiting for them


@pytest.mark.parametrize("drip_s", [0.1, 3600.0], ids=["drips", "never comes"])
@on_virtual_clock
async def test_a_body_that_drips_is_refused_after_10_seconds_however_often_a_drip_comes(drip_s: float) -> None:
    async def receive() -> Message:
        await asyncio.sleep(drip_s)
        return {"type": "http.request", "body": b"x", "more_body": True}

    began = asyncio.get_running_loop().time()
    with pytest.raises(Invalid, match="did not arrive within 10 s") as caught:
        await read_body(receive)
    assert (caught.value.status, caught.value.numbers["field"]) == (400, "body")
    assert 10 <= asyncio.get_running_loop().time() - began < 10.1


@on_virtual_clock
async def test_what_is_left_of_a_body_is_read_on_for_2_seconds_and_no_longer() -> None:
    """After an answer that did not wait for it: whoever still sends would see a reset and never the answer."""
    left: list[float] = []

    async def receive() -> Message:
        await asyncio.sleep(0.1)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: Message) -> None:
        left.append(asyncio.get_running_loop().time())

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})

    began = asyncio.get_running_loop().time()
    scope = {"type": "http", "method": "PUT", "path": "/", "headers": [(b"transfer-encoding", b"chunked")]}
    await BodyLimits(app, lambda _: 1000)(scope, receive, send)
    assert 2 <= left[0] - began < 2.1


async def test_the_limit_itself_is_allowed_and_one_byte_more_is_not() -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"12345", "more_body": False}

    assert await read_body(receive, bytes_max=5) == b"12345"
    with pytest.raises(TooLarge):
        await read_body(receive, bytes_max=4)


async def read_body(receive: object, bytes_max: int = 1000) -> bytes:
    found: list[bytes | Problem] = []

    async def app(scope: object, receive: object, send: object) -> None:
        try:
            found.append(await Request(scope, receive).body())  # type: ignore[arg-type]  # as ASGI hands them over
        except Problem as error:
            found.append(error)

    scope = {"type": "http", "method": "PUT", "path": "/", "headers": [(b"transfer-encoding", b"chunked")]}
    await BodyLimits(app, lambda _: bytes_max)(scope, receive, receive)  # type: ignore[arg-type]
    if isinstance(found[0], Problem):
        raise found[0]
    return found[0]


@pytest.mark.parametrize("sent", [b"", b"GET / HT"])
async def test_a_silent_connection_is_closed(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """In this process, with a short deadline: the server and its connections are the real ones."""
    from ledger.http.serving import create_server
    from server.http.listening import bind, url_of

    monkeypatch.setattr(http_connection, "HEAD_DEADLINE_S", 0.1)

    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError("no request was sent")

    server, listener = create_server(app), bind("127.0.0.1", 0, "HOST", "PORT")
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    assert await answer_to(url_of("http", listener, None), sent) == b""
    server.stop()
    await serving


async def test_a_connection_that_does_not_read_its_answer_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, with a short deadline: the server and its connections are the real ones."""
    from ledger.http.serving import create_server
    from server.http.listening import bind, url_of

    monkeypatch.setattr(LedgerConnection, "stall_s", 0.1)
    ended = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(2**25), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        ended.set()

    server, listener = create_server(app), bind("127.0.0.1", 0, "HOST", "PORT")
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    async with connection(url_of("http", listener, None)) as (_, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            await ended.wait()
    server.stop()
    await serving


async def test_metrics_say_what_was_refused(api: Api, http_system: System) -> None:
    await api.get("/v1/nonsense")

    async def counted() -> bool:
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"{http_system.ledgers[0].admin}/metrics")).text
        return re.search(r'^stockwire_ledger_problems_total\{type="not-found"\} [1-9]', text, re.MULTILINE) is not None

    assert await wait_until(counted)
