"""A server ends as soon as it may, and not before the requests at hand are answered."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from server.http import server
from server.http.connection import BoundedConnection
from server.http.server import HttpServer, create_http_server
from server.tls.handshakes import Handshakes
from tests.harness.waiting import PATIENCE_S, POLL_S

GRACE_S = 30


class Slow:
    """An app whose answers wait for ``go``."""

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.go.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@dataclass(frozen=True, slots=True)
class Serving:
    """``ended``: of what serves. ``http``: a client of it, which keeps its connection."""

    server: HttpServer
    listener: socket.socket
    ended: asyncio.Task[None]
    http: httpx.AsyncClient


@asynccontextmanager
async def serving(app: ASGIApp, grace_s: int = GRACE_S) -> AsyncIterator[Serving]:
    served = create_http_server(app, partial(BoundedConnection), grace_s, Handshakes(None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended = asyncio.create_task(served.serve(sockets=[listener]))
        try:
            async with (
                asyncio.timeout(PATIENCE_S),
                httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE_S) as http,
            ):
                yield Serving(served, listener, ended, http)
        finally:
            served.stop()
            await ended


async def test_a_server_is_stopped_between_two_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TICK_S", 3_600.0)
    app = Slow()
    app.go.set()
    async with serving(app) as served:
        assert (await served.http.get("/")).status_code == 204
        served.server.stop()
        await served.ended


async def test_a_server_that_is_stopped_ends_when_the_request_at_hand_is_answered() -> None:
    app = Slow()
    async with serving(app) as served:
        asking = asyncio.create_task(served.http.get("/"))
        await app.asked.wait()
        served.server.stop()
        while served.listener.fileno() >= 0:  # noqa: ASYNC110 - closed by the server, which tells nobody
            await asyncio.sleep(POLL_S)
        assert not served.ended.done()
        app.go.set()
        assert (await asking).status_code == 204
        await served.ended


async def test_a_request_without_an_end_is_cut_off_after_the_grace(caplog: pytest.LogCaptureFixture) -> None:
    app = Slow()
    async with serving(app, grace_s=1) as served:
        asking = asyncio.create_task(served.http.get("/"))
        await app.asked.wait()
        with caplog.at_level(logging.ERROR):
            served.server.stop()
            await served.ended
        assert caplog.messages[0] == "requests were cut off at the end of their grace requests=1"
        with pytest.raises(httpx.HTTPError):
            (await asking).raise_for_status()


async def test_the_date_of_answers_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TICK_S", 0.01)
    app = Slow()
    app.go.set()
    async with serving(app) as served:
        first = (await served.http.get("/")).headers["date"]
        while (await served.http.get("/")).headers["date"] == first:  # noqa: ASYNC110 - asked of a server
            await asyncio.sleep(POLL_S)
