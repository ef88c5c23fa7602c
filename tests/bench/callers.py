"""Many callers on keep-alive connections, each with one request under way: a cheap HTTP load on asyncio protocols."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

REQUEST_DEADLINE_S = 30.0


class Caller(asyncio.Protocol):
    """Sends ``next_request()`` again as soon as an answer is complete; counts answers by status."""

    def __init__(self, next_request: Callable[[], bytes], counts: dict[int, int]) -> None:
        self._next_request = next_request
        self._counts = counts
        self._buffer = b""
        self.stopping = False
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its base class
        self._transport.write(self._next_request())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < content_length(head):
            return
        self._buffer = b""
        status = int(head[9:12])
        self._counts[status] = self._counts.get(status, 0) + 1
        if self.stopping:
            self._transport.close()
        else:
            self._transport.write(self._next_request())

    def connection_lost(self, error: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_result(None)


async def call(
    port: int, callers: int, seconds: float, next_request: Callable[[], bytes]
) -> tuple[float, dict[int, int]]:
    """Answers per second over ``seconds``, and how many there were of each status."""
    counts: dict[int, int] = {}
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    connected = [
        (await loop.create_connection(lambda: Caller(next_request, counts), "127.0.0.1", port))[1]
        for _ in range(callers)
    ]
    await asyncio.sleep(seconds)
    answered, elapsed = sum(counts.values()), time.perf_counter() - started
    for caller in connected:
        caller.stopping = True
    async with asyncio.timeout(REQUEST_DEADLINE_S):
        await asyncio.gather(*(caller.finished for caller in connected))
    return answered / elapsed, counts


def content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0
