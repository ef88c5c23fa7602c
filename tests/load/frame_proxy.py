"""A hub that drops or repeats messages: a proxy before a real one that decides about each whole frame it sends."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import orjson

CONNECT_DEADLINE_S = 5.0
HEAD_BYTES_MAX = 65_536

Copies = Callable[[int], int]
"""How often a message goes to the client; 0 drops it. Given is, for a change of a level, how many of that level have
come since the snapshot, this one included; 0 for any other message."""


@asynccontextmanager
async def frame_proxy(stream_url: str, copies: Copies) -> AsyncIterator[str]:
    """The URL to connect to instead of ``stream_url``."""
    target = urlsplit(stream_url)
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _link(reader, writer, (str(target.hostname), target.port or 80), copies)
        writer.close()
        serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}{target.path}"
    finally:
        server.close()
        for task in tuple(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _link(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: tuple[str, int], copies: Copies
) -> None:
    async with asyncio.timeout(CONNECT_DEADLINE_S):
        hub_reader, hub_writer = await asyncio.open_connection(*target, limit=HEAD_BYTES_MAX)
    up = asyncio.create_task(_bytes(reader, hub_writer), name="frames up")
    try:
        writer.write(await hub_reader.readuntil(b"\r\n\r\n"))  # the answer to the upgrade
        await _frames(hub_reader, writer, copies)
    finally:
        up.cancel()
        hub_writer.close()
        await asyncio.gather(up, return_exceptions=True)


async def _bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(HEAD_BYTES_MAX):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _frames(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, copies: Copies) -> None:
    """RFC 6455, 5.2: what a server sends is not masked, and hubs do not fragment."""
    seen: Counter[str] = Counter()
    while True:
        head = await reader.readexactly(2)
        length = head[1]
        if length >= 126:
            extended = await reader.readexactly(2 if length == 126 else 8)
            head, length = head + extended, int.from_bytes(extended)
        payload = await reader.readexactly(length)
        number = 0
        if b'"type":"snapshot"' in payload:
            seen.clear()
        elif b'"type":"level"' in payload:
            sku = orjson.loads(payload)["sku"]
            seen[sku] += 1
            number = seen[sku]
        writer.write((head + payload) * copies(number))
        await writer.drain()
