"""What an app is told of a request is what uvicorn would tell it, though most of it is made only if it is asked for."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.http.connection import BoundedConnection
from server.http.cycle import TARGETS_MAX, target_of
from server.http.server import create_http_server
from server.tls.handshakes import Handshakes
from tests.harness.chance import SEED
from tests.harness.waiting import PATIENCE_S
from tests.ledger.http.requests import Requests

REQUESTS = 300
HOST = b"Host: h\r\n"
STRANGE = [
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET http://elsewhere/a%20b?c=%20d#e HTTP/1.1\r\n" + HOST + b"\r\n",
    b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET //a/../b?? HTTP/1.1\r\n" + HOST + b"X-A: 1\r\nx-a: 2\r\n\r\n",
    b"POST /chunks HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"POST /wait HTTP/1.1\r\n" + HOST + b"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nab",
    b"POST /large HTTP/1.1\r\n" + HOST + b"Content-Length: 200000\r\n\r\n" + b"x" * 200_000,
    b"GET /up HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
]


class Told:
    """An app. ``requests``: what each request was, without where it came from; its body whole."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        message = await receive()
        while message["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
            message = await receive()
        said = {name: value for name, value in scope.items() if name not in ("server", "client")}
        self.requests.append(said | {"body": body, "headers": list(scope["headers"])})
        headers = [(b"content-length", b"0"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def served(app: Told, connection: Callable[..., asyncio.Protocol]) -> AsyncIterator[int]:
    server = create_http_server(app, lambda **given: connection(**given), 1, Handshakes(None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.stop()
            await ended


async def answer(port: int, request: bytes, split_at: int) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for part in (request[:split_at], request[split_at:]):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.001)
        writer.write_eof()
        answered = await reader.read()
        writer.close()
    return b"".join(line for line in answered.splitlines(keepends=True) if not line.startswith(b"date: "))


@pytest.mark.filterwarnings("ignore:Unsupported upgrade")
async def test_an_app_is_told_what_uvicorn_would_tell_it() -> None:
    """So that a new version of uvicorn, which tells more or otherwise, is noticed."""
    theirs, ours = Told(), Told()
    generated = Requests(SEED)
    async with served(theirs, HttpToolsProtocol) as their_port, served(ours, BoundedConnection) as our_port:
        for number, request in enumerate([*STRANGE, *(generated.next() for _ in range(REQUESTS))]):
            before = len(ours.requests)
            ended = await answer(our_port, request, split_at=number % len(request))
            if len(ours.requests) > before:  # else we refuse what uvicorn takes
                assert await answer(their_port, request, split_at=number % len(request)) == ended
                assert ours.requests[before:] == theirs.requests[-1:]
        assert len(ours.requests) > REQUESTS / 2


def test_targets_are_not_remembered_without_end() -> None:
    for number in range(2 * TARGETS_MAX):
        target_of(b"/%d" % number)
    assert target_of.cache_info().currsize == TARGETS_MAX
