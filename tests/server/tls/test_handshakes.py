"""TLS handshakes are bounded in number, and lose nothing of what comes with their end."""

import asyncio
import contextlib
import gc
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvloop

from server.tls.certificate import HANDSHAKE_S, Certificate, Tls
from server.tls.handshakes import Handshakes
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.server.tls.certificates import Authority

MAX = 5
ROUNDS = 200

Test = Callable[[Handshakes, ssl.SSLContext], Coroutine[Any, Any, None]]


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvloop's is none
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Test], None]:
    """Runs a test in a loop of each kind that hubs have."""

    def run_it(test: Test) -> None:
        authority = Authority(tmp_path / "authority")
        handshakes = Handshakes(Tls(Certificate(authority.chain, authority.key)), under_way_max=MAX)
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(test(handshakes, authority.trusting()), PATIENCE_S))

    return run_it


@contextlib.asynccontextmanager
async def echoing(handshakes: Handshakes) -> AsyncIterator[int]:
    """Its port."""
    loop = asyncio.get_running_loop()
    async with await loop.create_server(partial(handshakes.before, Echo), "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        yield port


async def echoed(port: int, trust: ssl.SSLContext, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    try:
        writer.write(data)
        return await reader.readexactly(len(data))
    finally:
        writer.transport.abort()


def test_whoever_holds_all_places_and_says_nothing_keeps_nobody_out(run: Callable[[Test], None]) -> None:
    async def test(handshakes: Handshakes, trust: ssl.SSLContext) -> None:
        async with echoing(handshakes) as port:
            silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MAX)]
            await wait_until(lambda: _are_under_way(handshakes, MAX))
            assert await echoed(port, trust, b"hello") == b"hello"
            assert handshakes.outcomes == {"done": 1, "failed": 0, "gave_way": 1}
            with contextlib.suppress(ConnectionError):
                assert await silent[0][0].read() == b"", "the one that has waited longest"
            for _, writer in silent:
                writer.transport.abort()
            await wait_until(lambda: _are_under_way(handshakes, 0))
            assert handshakes.outcomes == {"done": 1, "failed": MAX - 1, "gave_way": 1}

    run(test)


def test_what_comes_with_the_end_of_the_handshake_is_not_lost(run: Callable[[Test], None]) -> None:
    """As bytes in one write, which the network would have joined."""

    async def test(handshakes: Handshakes, trust: ssl.SSLContext) -> None:
        async with echoing(handshakes) as port:
            for number in range(ROUNDS):
                data = b"%d" % number * 100
                assert await joined(port, trust, data) == data
        assert handshakes.outcomes == {"done": ROUNDS, "failed": 0, "gave_way": 0}

    run(test)


def test_who_leaves_at_once_leaves_nothing_behind(run: Callable[[Test], None]) -> None:
    """Also the handshakes that would be begun on a connection which is gone."""

    async def test(handshakes: Handshakes, trust: ssl.SSLContext) -> None:
        async with echoing(handshakes) as port:
            await echoed(port, trust, b"hello")
            for _ in range(ROUNDS):
                await asyncio.to_thread(come_and_go, port)
            await wait_until(lambda: _have_failed(handshakes, ROUNDS))  # the last may be accepted after it has gone
            assert handshakes.under_way == 0
            await wait_until(_no_tls_is_kept, HANDSHAKE_S / 2, what="TLS of connections that are gone")

    run(test)


def test_a_protocol_that_steps_aside_gets_nothing(run: Callable[[Test], None]) -> None:
    """As a connection that is one too many: its successor hears what came with the end of the handshake."""

    class Aside(asyncio.Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as above
            echo = Echo()
            transport.set_protocol(echo)
            echo.connection_made(transport)

        def data_received(self, _: bytes) -> None:
            raise AssertionError("it has stepped aside")

    async def test(handshakes: Handshakes, trust: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(partial(handshakes.before, Aside), "127.0.0.1", 0) as server:
            for _ in range(ROUNDS):
                assert await joined(server.sockets[0].getsockname()[1], trust, b"hello") == b"hello"

    run(test)


def test_what_is_no_handshake_ends_and_is_counted(run: Callable[[Test], None]) -> None:
    async def test(handshakes: Handshakes, trust: ssl.SSLContext) -> None:
        async with echoing(handshakes) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                assert b"HTTP" not in await reader.read()
            writer.transport.abort()
            await wait_until(lambda: _are_under_way(handshakes, 0))
            assert handshakes.outcomes == {"done": 0, "failed": 1, "gave_way": 0}
            assert await echoed(port, trust, b"hello") == b"hello"

    run(test)


async def joined(port: int, trust: ssl.SSLContext, data: bytes) -> bytes:
    """Shake hands by hand, send the last flight and ``data`` at once, and return what comes back."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trust.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(65_536))
        client.write(data)
        writer.write(outgoing.read())
        found = b""
        while len(found) < len(data):
            incoming.write(await reader.read(65_536))
            with contextlib.suppress(ssl.SSLWantReadError):
                found += client.read(65_536)
        return found
    finally:
        writer.transport.abort()


def come_and_go(port: int) -> None:
    """With a reset."""
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _are_under_way(handshakes: Handshakes, number: int) -> bool:
    return handshakes.under_way == number


async def _have_failed(handshakes: Handshakes, number: int) -> bool:
    """Or given way, which those do that come and go faster than they are taken."""
    return handshakes.outcomes["failed"] + handshakes.outcomes["gave_way"] == number


async def _no_tls_is_kept() -> bool:
    """But that of the one client."""
    gc.collect()
    return sum(type(one).__name__ == "SSLProtocol" for one in gc.get_objects()) <= 1
