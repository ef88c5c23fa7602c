"""What the caches of deploy/ keep, for how long, and what nobody can make them keep or forget. Before an origin that
answers as a hub does, and counts."""

import asyncio
import contextlib
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from ledger.http import serving
from tests.deploy.edge_cache import CACHES, EdgeCache
from tests.harness.servers import free_port
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")

WEB = "/v1/availability/web"
BADGE = "/v1/badge.js"
LONG = "public, max-age=600"
MARKED_S, REFUSED_S = 6, 9
"""After the answer was made: is it said to be fresh no more, and is it given no more."""
REFUSED = (502, 503)
"""The one of nginx, the other of the origin."""
SECOND = 1.1
"""nginx counts whole ones."""


class Origin:
    """Answers every request with its number. ``status``, ``control``: of the next ones. ``slow_s``: before each."""

    def __init__(self) -> None:
        self.status = 200
        self.control = LONG
        self.slow_s = 0.0
        self.asked: Counter[str] = Counter()
        self.heads: list[dict[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, control = self.status, self.control
        if scope["path"] == "/":  # whether it answers at all
            await _answer(send, 200, {}, b"")
            return
        target = scope["raw_path"].decode() + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        self.asked[target] += 1
        self.heads.append({name.decode(): value.decode() for name, value in scope["headers"]})
        number = self.asked[target]
        await asyncio.sleep(self.slow_s)
        headers = {"Cache-Control": control, "ETag": f'"e-{number}"', "Stockwire-Fresh": "true"}
        if target == BADGE:
            headers["Vary"] = "Accept-Encoding"
        await _answer(send, status, headers, str(number).encode())


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    start = {"type": "http.response.start", "status": status}
    await send({**start, "headers": [*pairs, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serves(origin: Origin, port: int) -> AsyncIterator[None]:
    server = serving.create_server(origin)
    listener = socket.create_server(("127.0.0.1", port))
    serve = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.stop()
        await serve
        listener.close()


@asynccontextmanager
async def before(kind: type[EdgeCache], folder: Path) -> AsyncIterator[tuple[Origin, httpx.AsyncClient, EdgeCache]]:
    """A cache before an origin, which is both hubs."""
    origin, port = Origin(), free_port()
    async with serves(origin, port):
        cache = kind(folder, [f"127.0.0.1:{port}"] * 2)
        try:
            async with reader_of(cache) as reader:

                async def passes_on() -> bool:
                    cache.front.assert_runs()
                    return (await reader.get("/v1/begin")).status_code == 200

                await wait_until(passes_on, swallow=httpx.TransportError)
                yield origin, reader, cache
        finally:
            cache.front.stop()


def reader_of(cache: EdgeCache, address: str = "127.0.0.1") -> httpx.AsyncClient:
    way = httpx.AsyncHTTPTransport(local_address=address)
    url = f"http://127.0.0.1:{cache.port}"
    return httpx.AsyncClient(base_url=url, transport=way, timeout=PATIENCE_S)


@pytest.mark.parametrize("kind", CACHES.values(), ids=CACHES)
async def test_nobody_makes_a_cache_keep_another_answer_or_forget_one(kind: type[EdgeCache], tmp_path: Path) -> None:
    async with before(kind, tmp_path) as (origin, reader, cache):
        origin.control = LONG
        await one_copy_whatever_is_said(origin, reader)
        await a_script_has_two_copies_at_most(origin, reader)
        await what_is_not_public_is_passed_on(origin, reader)
        await a_crowd_asks_once(origin, reader)
        await only_the_machine_itself_renews(origin, reader, cache)
        await an_error_is_not_kept(origin, reader)


async def one_copy_whatever_is_said(origin: Origin, reader: httpx.AsyncClient) -> None:
    said: list[dict[str, str]] = [
        {},
        *({name: "evil.example"} for name in ("Host", "Origin", "X-Forwarded-Host", "X-Original-URL", "Forwarded")),
        *({name: "evil"} for name in ("Cookie", "Accept-Language", "Accept-Encoding", "X-HTTP-Method-Override")),
        {"X-Forwarded-For": "6.6.6.6"},
        {"Range": "bytes=0-0"},
        {"Cache-Control": "no-cache, max-age=0", "Pragma": "no-cache", "X-Forwarded-For": "127.0.0.1"},
    ]
    for headers in said:
        for method in ("HEAD", "GET"):
            answer = await reader.request(method, f"{WEB}/A", headers=headers)
            assert (answer.status_code in (200, 206), answer.headers["ETag"]) == (True, '"e-1"'), headers
    assert (await reader.get(f"{WEB}/A")).content == b"1"
    assert (await reader.get(f"{WEB}/A", headers={"If-None-Match": '"e-1"'})).status_code == 304
    assert origin.asked[f"{WEB}/A"] == 1
    first = await reader.get(f"{WEB}/B", headers={"X-Forwarded-For": "6.6.6.6", "Cookie": "a=b", "Range": "bytes=0-0"})
    assert first.is_success
    assert (await reader.get(f"{WEB}/B")).content == b"1"
    head = origin.heads[-1]
    assert (head["x-forwarded-for"], "cookie" in head, "range" in head) == ("127.0.0.1", False, False)


async def a_script_has_two_copies_at_most(origin: Origin, reader: httpx.AsyncClient) -> None:
    """It comes packed or not."""
    for codings in ("gzip, br", "made-up", "br, made-up", "gzip;q=0", "identity", "deflate, gzip", "gzip, made-up"):
        assert (await reader.get(BADGE, headers={"Accept-Encoding": codings})).is_success
    assert origin.asked[BADGE] <= 2


async def what_is_not_public_is_passed_on(origin: Origin, reader: httpx.AsyncClient) -> None:
    """Each time, and never into a place that others look at."""
    location = "/v1/availability?location=web"
    odd = (
        *(
            f"{WEB}/A?version=01",
            f"{WEB}/A?x=1",
            f"{WEB}/A?version=1&x=2",
            f"{WEB}/A/B",
            f"{location}&x=1",
        ),
        *("/v1/availability?sku=A&location=web", f"{location}&limit=01", f"{location}&sku=A&limit=5"),
        *("/v1/levels?location=web", "/v1/discovery?x", "/v1/badge.js?x=1", f"/v1/badge.js?v={'a' * 65}"),
    )
    for target in odd:
        for _ in range(2):
            assert (await reader.get(target)).status_code == 200
        assert origin.asked[target] == 2, target
    kept = (f"{location}&sku=A&sku=B", f"{location}&limit=5", location, f"{WEB}/A?version=7", "/v1/badge.js?v=1.2")
    for target in kept:
        for _ in range(2):
            assert (await reader.get(target)).status_code == 200
        assert origin.asked[target] == 1, target
    for number in (2, 3):
        keyed = await reader.get(f"{WEB}/A", headers={"Authorization": "Bearer x"})
        assert keyed.content == str(number).encode()
        assert origin.heads[-1]["authorization"] == "Bearer x"
    posted = await reader.post(f"{WEB}/A", content=b"x")
    assert posted.content == b"4"
    assert (await reader.get(f"{WEB}/A")).content == b"1"


async def a_crowd_asks_once(origin: Origin, reader: httpx.AsyncClient) -> None:
    origin.slow_s = 0.2
    crowd = await asyncio.gather(*(reader.get(f"{WEB}/crowd") for _ in range(40)))
    origin.slow_s = 0.0
    assert {answer.content for answer in crowd} == {b"1"}
    assert origin.asked[f"{WEB}/crowd"] == 1


async def only_the_machine_itself_renews(origin: Origin, reader: httpx.AsyncClient, cache: EdgeCache) -> None:
    method, headers = cache.renewal
    path = f"{WEB}/renewed"
    await reader.get(path)
    async with reader_of(cache, "127.0.0.2") as other:
        await other.request(method, path, headers=headers)
    await reader.request(method, path, headers={**headers, "X-Forwarded-For": "127.0.0.1"})
    assert (await reader.get(path)).content == b"1"
    assert (await reader.request(method, path, headers=headers)).status_code == 200
    assert (await reader.get(path)).content == b"2"


async def an_error_is_not_kept(origin: Origin, reader: httpx.AsyncClient) -> None:
    origin.status, origin.control = 503, "no-store"
    assert (await reader.get(f"{WEB}/error")).status_code in REFUSED
    origin.status = 200
    for _ in range(2):  # an answer from before the version that was asked for
        assert (await reader.get(f"{WEB}/error?version=9")).status_code == 200
    origin.control = LONG
    assert (await reader.get(f"{WEB}/error")).status_code == 200
    asked = origin.asked[f"{WEB}/error?version=9"]
    assert (await reader.get(f"{WEB}/error?version=9")).content == str(asked + 1).encode()


class Sample(NamedTuple):
    sent_at: float
    came_at: float
    answer: httpx.Response


async def test_what_is_old_is_answered_marked_and_then_refused(tmp_path: Path) -> None:
    """While the origin only fails. A slow client is cut off meanwhile."""
    async with AsyncExitStack() as stack:
        standing = []
        for name, kind in CACHES.items():
            (tmp_path / name).mkdir()
            standing.append(await stack.enter_async_context(before(kind, tmp_path / name)))
        await asyncio.gather(*(grows_old(*one) for one in standing), *(is_cut_off(cache) for _, _, cache in standing))


async def grows_old(origin: Origin, reader: httpx.AsyncClient, _cache: EdgeCache) -> None:
    origin.control = f"public, max-age=1, stale-while-revalidate={MARKED_S - 1}, stale-if-error={REFUSED_S - 1}"
    began_at = time.monotonic()
    assert (await reader.get(f"{WEB}/old")).status_code == 200
    kept_at = time.monotonic()
    origin.status, origin.control = 503, "no-store"
    samples: list[Sample] = []

    async def refused() -> bool:
        sent_at = time.monotonic()
        answer = await reader.get(f"{WEB}/old")
        samples.append(Sample(sent_at, time.monotonic(), answer))
        return answer.status_code in REFUSED

    await wait_until(refused)
    for sent_at, came_at, answer in samples:
        if came_at < began_at + MARKED_S - SECOND:
            assert (answer.status_code, answer.headers["Stockwire-Fresh"]) == (200, "true")
        elif came_at < began_at + REFUSED_S - SECOND:
            assert answer.status_code == 200, (came_at - began_at, answer.headers)
        if sent_at > kept_at + MARKED_S + SECOND and answer.status_code == 200:
            assert answer.headers["Stockwire-Fresh"] == "false"
    assert samples[-1].came_at > began_at + REFUSED_S - SECOND
    assert samples[-2].sent_at < kept_at + REFUSED_S + SECOND


async def is_cut_off(cache: EdgeCache) -> None:
    """Its head never ends."""
    reading, writing = await asyncio.open_connection("127.0.0.1", cache.port)
    writing.write(b"GET /v1/discovery HTTP/1.1\r\nHost: x\r\nx: ")
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE_S):
            await reading.read()
    writing.close()
