"""The proxy does what the fault tests believe it does."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.harness.proxy import Proxy, proxy_to
from tests.harness.waiting import PATIENCE_S

SHORT_S = 0.1
"""Long enough for loopback to have delivered, had it wanted to."""


@pytest.fixture
async def echo_proxy() -> AsyncIterator[Proxy]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # a cut is what these tests do
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, proxy_to("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


@pytest.fixture
async def link(echo_proxy: Proxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", echo_proxy.port)
    await echo_proxy.connected(1)
    yield reader, writer
    writer.transport.abort()


Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def test_it_passes_bytes_and_counts_them(echo_proxy: Proxy, link: Link) -> None:
    await echoed(link, b"hello")
    assert (echo_proxy.up.bytes_passed, echo_proxy.down.bytes_passed) == (5, 5)


async def test_a_cut_is_an_error_at_once_and_the_next_connection_works(echo_proxy: Proxy, link: Link) -> None:
    await echoed(link, b"hello")
    echo_proxy.cut()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(link[0].read(1), PATIENCE_S)
    again = await asyncio.open_connection("127.0.0.1", echo_proxy.port)
    await echoed(again, b"again")
    again[1].transport.abort()


async def test_a_connection_that_was_only_just_taken_is_cut_too(echo_proxy: Proxy) -> None:
    coming = asyncio.ensure_future(asyncio.open_connection("127.0.0.1", echo_proxy.port))
    await echo_proxy.connected(1)
    echo_proxy.cut()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for((await coming)[0].read(1), PATIENCE_S)


async def test_refused_connections_end_at_once_until_healed(echo_proxy: Proxy) -> None:
    echo_proxy.refuse()
    reader, writer = await asyncio.open_connection("127.0.0.1", echo_proxy.port)
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(1), PATIENCE_S)
    writer.transport.abort()
    echo_proxy.heal()
    healed = await asyncio.open_connection("127.0.0.1", echo_proxy.port)
    await echoed(healed, b"healed")
    healed[1].transport.abort()


async def test_a_stalled_direction_holds_the_bytes_back_and_delivers_them_later(echo_proxy: Proxy, link: Link) -> None:
    await echoed(link, b"first")
    echo_proxy.down.stall()
    link[1].write(b"later")
    assert await silent(link)
    echo_proxy.heal()
    assert await asyncio.wait_for(link[0].readexactly(5), PATIENCE_S) == b"later"


async def test_a_half_open_link_swallows_bytes_without_an_error(echo_proxy: Proxy, link: Link) -> None:
    await echoed(link, b"first")
    echo_proxy.half_open()
    link[1].write(b"lost")
    assert await silent(link)
    echo_proxy.heal()
    await echoed(link, b"kept")


async def test_a_reset_comes_after_exactly_so_many_bytes(echo_proxy: Proxy, link: Link) -> None:
    await echoed(link, b"first")
    echo_proxy.down.reset_after(3)
    link[1].write(b"second")
    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await asyncio.wait_for(link[0].readexactly(6), PATIENCE_S)
    assert echo_proxy.down.bytes_passed == 5 + 3


async def test_a_drip_delivers_everything_in_small_pieces(echo_proxy: Proxy, link: Link) -> None:
    echo_proxy.down.drip(2, 0.005)
    link[1].write(b"0123456789")
    pieces: list[bytes] = []
    while sum(map(len, pieces)) < 10:
        pieces.append(await asyncio.wait_for(link[0].read(10), PATIENCE_S))
    assert b"".join(pieces) == b"0123456789"
    assert len(pieces) > 1


async def test_the_end_of_one_direction_is_passed_on(link: Link) -> None:
    link[1].write(b"bye")
    link[1].write_eof()
    assert await asyncio.wait_for(link[0].read(), PATIENCE_S) == b"bye"


async def echoed(link: Link, data: bytes) -> None:
    link[1].write(data)
    assert await asyncio.wait_for(link[0].readexactly(len(data)), PATIENCE_S) == data


async def silent(link: Link) -> bool:
    try:
        return not await asyncio.wait_for(link[0].read(1), SHORT_S)
    except TimeoutError:
        return True
