"""What is read from a ledger does not pile up: followers run for months, and read half a megabyte at a time."""

import asyncio
import gc
import tracemalloc
from functools import partial

import orjson

from followers.log.ledger import Ledger
from tests.harness.waiting import PATIENCE_S

PAGE_BYTES = 2**18
PAGES = 40


async def answer(ended: asyncio.Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, as a ledger would, whatever was asked."""
    content = orjson.dumps({"epoch": "e", "shard": 0, "head": 0, "events": [], "more": "x" * PAGE_BYTES})
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content))
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()
        await writer.wait_closed()
        ended.set()


async def test_a_page_is_let_go_of_before_the_collector_of_garbage_comes_by() -> None:
    ended = asyncio.Event()
    server = await asyncio.start_server(partial(answer, ended), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gc.disable()
    try:
        async with server:
            async with Ledger(f"http://127.0.0.1:{port}", "sw_key") as ledger:
                await ledger.events(0, 0, 1_000)
                tracemalloc.start()
                for _ in range(PAGES):
                    assert (await ledger.events(0, 0, 1_000))["epoch"] == "e"
                kept, _ = tracemalloc.get_traced_memory()
            await asyncio.wait_for(ended.wait(), PATIENCE_S)
    finally:
        tracemalloc.stop()
        gc.enable()
    assert kept < 4 * PAGE_BYTES, f"{kept:,} bytes are kept of {PAGES} pages"
