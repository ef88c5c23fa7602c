"""A proxy as some offices have it: it passes HTTP on and refuses to become a WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

HEAD_END = b"\r\n\r\n"
REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CHUNK_BYTES = 65_536


@dataclass
class NoUpgrades:
    """``refused``: how many asked for a WebSocket."""

    port: int
    refused: int = 0


@asynccontextmanager
async def no_upgrades(host: str, port: int) -> AsyncIterator[NoUpgrades]:
    """In front of an HTTP server at ``host``, ``port``."""
    links: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        links.add(task)
        try:
            head = await reader.readuntil(HEAD_END)
            if b"upgrade: websocket" in head.lower():
                proxy.refused += 1
                writer.write(REFUSAL)
                return
            onward_reader, onward_writer = await asyncio.open_connection(host, port)
            onward_writer.write(head)
            await asyncio.gather(_pump(reader, onward_writer), _pump(onward_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            links.discard(task)
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        proxy = NoUpgrades(server.sockets[0].getsockname()[1])
        try:
            yield proxy
        finally:
            for link in tuple(links):
                link.cancel()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
