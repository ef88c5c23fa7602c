"""What answers at an admin port is bounded, whoever it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from cli.node_figures import NodeState
from cli.top import Top
from server.http.page import PAGE_BYTES_MAX

PIECE = b"x" * 65_536


@asynccontextmanager
async def endless() -> AsyncIterator[tuple[str, list[int]]]:
    """A server whose page never ends; and how many bytes it got rid of."""
    sent: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        try:
            while True:
                writer.write(PIECE)
                await writer.drain()
                sent.append(len(PIECE))
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", sent


async def test_a_page_that_never_ends_is_called_too_big_and_not_read_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cli.top.DEADLINE_S", 30.0)  # on a busy machine it would come before the bound
    async with endless() as (url, sent), httpx.AsyncClient() as http:
        top = Top(lambda: {"x": url}, http)
        await top.look()
        assert [node.state for node in top.figures] == [NodeState.TOO_BIG]
        assert sum(sent) < 16 * PAGE_BYTES_MAX, "it went on reading"
