"""The read port alone, without a ledger: what it refuses, and what a connection may cost."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.entry.serving import bound_send_buffer, create_server
from hub.fanout.fanout import Bounds
from hub.reads.read_api import BODY_BYTES_MAX
from hub.reads.reads import Reads
from server.http import body_limits
from server.http import connection as http_connection
from server.http.connection import HEAD_BYTES_MAX, HEADERS_MAX
from server.http.connection_table import ConnectionTable
from server.http.listening import bind
from tests.harness.api_keys import make_token
from tests.harness.waiting import PATIENCE_S
from tests.hub.reader import in_memory, read_port


async def test_a_path_is_never_redirected_to_whatever_host_was_named() -> None:
    async with read_port() as app, in_memory(app) as reader:
        answer = await reader.get("/v1/levels/", headers={"Host": "evil.example"})
        assert (answer.status_code, answer.json()["type"]) == (404, "not-found")
        assert "Location" not in answer.headers


async def test_that_a_fault_was_ours_is_said_with_the_headers_of_all_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Reads, _keys: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Reads, "levels", fail)
    key = {"Authorization": f"Bearer {make_token('stock:read:*')}"}
    async with read_port() as app:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as reader:
            answer = await reader.get("/v1/levels/berlin/A", headers=key)
    assert (answer.status_code, answer.headers.get("vary")) == (500, "Origin")


async def test_a_connection_inherits_the_bound_of_the_kernels_buffer() -> None:
    with bind("127.0.0.1", 0, "HOST", "PORT") as listener:
        bound_send_buffer(listener, 16_384)
        with socket.create_connection(listener.getsockname(), PATIENCE_S):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * 16_384  # Linux counts double


async def test_names_that_are_no_utf8_are_refused() -> None:
    cases = [
        ("/v1/levels/berlin/%ff", "path"),
        ("/v1/levels/%ff/A", "path"),
        ("/v1/levels?location=%ff", "query"),
        ("/v1/levels/stream?location=berlin&sku=%C3", "query"),
        ("/v1/levels/berlin/A?%ff=1", "query"),
    ]
    async with read_port() as app, in_memory(app) as reader:
        for path, field in cases:
            answer = await reader.get(path)
            problem = answer.json()
            assert (answer.status_code, problem["type"], problem["field"]) == (400, "invalid", field), (path, problem)


async def test_a_stream_over_a_limit_is_refused_for_good_and_one_that_finds_no_room_for_now() -> None:
    skus = "".join(f"&sku=sku-{number}" for number in range(1_001))
    cases = [
        (f"/v1/levels/stream?location=berlin{skus}", 422, "invalid", "skus"),
        ("/v1/levels/stream?location=*&sku=A", 422, "invalid", "skus"),
        ("/v1/levels/stream", 422, "invalid", "location"),
        ("/v1/levels/stream?location=berlin&sku=A&sku=B", 503, "overloaded", None),
    ]
    async with read_port(Bounds(levels_max=1)) as app, in_memory(app) as reader:
        for path, status, type_, field in cases:
            answer = await reader.get(path)
            problem = answer.json()
            assert (answer.status_code, problem["type"], problem.get("field")) == (status, type_, field), problem
            assert ("reason" in problem, "retry_after_s" in problem) == (status == 422, status == 503)


@pytest.mark.parametrize("path", ["/v1/levels/query", "/v1/nothing"])
async def test_a_body_that_drips_is_cut(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limits, "BODY_DEADLINE_S", 0.3)
    monkeypatch.setattr(body_limits, "DRAIN_DEADLINE_S", 0.1)
    head = f"POST {path} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {make_token('stock:read:*')}\r\n"
    async with read_port() as app, served(app) as (reader, writer):
        writer.write(head.encode() + b"Content-Length: 1000\r\n\r\n")
        dripping = asyncio.create_task(_drip(writer))
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await reader.readuntil(b"}")
                with suppress(ConnectionResetError):  # a drip has met a connection that is closed already
                    assert await reader.read() == b""
        finally:
            dripping.cancel()
        status, expected = (b"400", b"within 0.3 s") if path.endswith("query") else (b"404", b"not-found")
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert b"connection: close" in answer
        assert expected in answer


async def test_a_body_that_is_too_large_is_answered_and_a_good_one_keeps_the_connection() -> None:
    async with read_port() as app, in_memory(app) as reader:
        answer = await reader.post("/v1/levels/query", content=b" " * (BODY_BYTES_MAX + 1))
        assert (answer.status_code, answer.json()["bytes_max"]) == (413, BODY_BYTES_MAX)
        answer = await reader.post("/v1/levels/query", json={"keys": []})
        assert (answer.status_code, answer.json()["levels"]) == (200, [])
        assert "connection" not in answer.headers


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b" ")
        await asyncio.sleep(0.02)


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server as the hub runs it."""
    with bind("127.0.0.1", 0, "HOST", "PORT") as listener:
        server = create_server(app, ConnectionTable(10))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            server.stop()
            await serving


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: hub\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: hub\r\nX-Long: " + b"x" * HEAD_BYTES_MAX,
        b"GET / HTTP/1.1\r\nHost: hub\r\n" + b"X: y\r\n" * HEADERS_MAX + b"\r\n",
    ],
    ids=["request line", "one header", "many headers"],
)
async def test_header_bombs_are_answered_before_the_connection_ends(sent: bytes) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("no whole head was sent")

    async with asyncio.timeout(PATIENCE_S), served(app) as (reader, writer):
        writer.write(sent)
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"connection: close" in answer


async def test_line_ends_after_an_answer_do_not_keep_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async with asyncio.timeout(PATIENCE_S), served(app) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
        monkeypatch.setattr(http_connection, "HEAD_DEADLINE_S", 0.2)
        ended = asyncio.create_task(reader.read())
        while not ended.done():
            writer.write(b"\r\n")
            await asyncio.wait([ended], timeout=0.02)
