"""Many callers on keep-alive connections, each with one request under way: a cheap HTTP load on asyncio protocols."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

REQUEST_DEADLINE_S = 30.0

NextRequest = Callable[[], bytes]


class Caller(asyncio.Protocol):
    """Sends ``next_request()`` again as soon as an answer is complete; counts answers by status."""

    def __init__(self, next_request: NextRequest, counts: dict[int, int]) -> None:
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
            self._transport.write(self.next_after(body))

    def next_after(self, answer: bytes) -> bytes:
        """What follows on an answer. Of most it does not depend on that."""
        return self._next_request()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_result(None)


MakeCaller = Callable[[NextRequest, dict[int, int]], Caller]


async def call(
    port: int, callers: int, seconds: float, next_request: NextRequest, kind: MakeCaller = Caller
) -> tuple[float, dict[int, int]]:
    """Answers per second over ``seconds``, and how many there were of each status."""
    started = time.perf_counter()
    async with calling(port, callers, next_request, kind) as counts:
        await asyncio.sleep(seconds)
        answered, elapsed = sum(counts.values()), time.perf_counter() - started
    return answered / elapsed, counts


@asynccontextmanager
async def calling(
    port: int, callers: int, next_request: NextRequest, kind: MakeCaller = Caller
) -> AsyncIterator[dict[int, int]]:
    """How many answers there are so far, by status. Until every caller has its last one."""
    counts: dict[int, int] = {}
    loop = asyncio.get_running_loop()
    connected = [
        (await loop.create_connection(lambda: kind(next_request, counts), "127.0.0.1", port))[1] for _ in range(callers)
    ]
    yield counts
    for caller in connected:
        caller.stopping = True
    async with asyncio.timeout(REQUEST_DEADLINE_S):
        await asyncio.gather(*(caller.finished for caller in connected))


def post(key: str, path: str, body: str) -> bytes:
    """Under an Idempotency-Key of its own."""
    head = f"POST {path} HTTP/1.1\r\nHost: ledger\r\nContent-Type: application/json\r\nAuthorization: Bearer {key}\r\n"
    return f"{head}Content-Length: {len(body)}\r\nIdempotency-Key: {secrets.token_hex(12)}\r\n\r\n{body}".encode()


def content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0
