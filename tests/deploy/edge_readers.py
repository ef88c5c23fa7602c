"""Readers of public availability through a cache, each with a connection of its own, and what they saw."""

import asyncio
import json
import random
from collections.abc import Callable, Sequence

ADDRESSES = 20
"""They come from so many of this machine: caches and hubs count by address."""
PERIOD_S = 2.0


class Seen:
    """``fresh_s``, ``marked_s``: how long what an answer told had been superseded when it was asked for, at most: of
    those said to be fresh, and of those marked. ``last_unmarked_at``: when the last of the former was asked for.
    """

    def __init__(self) -> None:
        self.answers = 0
        self.failed: list[str] = []
        self.fresh_s = 0.0
        self.marked_s = 0.0
        self.marked = 0
        self.last_unmarked_at = 0.0
        self.versions: dict[str, dict[int, int]] = {}


class Reader(asyncio.Protocol):
    """Asks for one sku, again and again. ``superseded(sku, version)``: when that was, if it was."""

    def __init__(self, number: int, sku: str, path: str, seen: Seen, superseded: Callable[[str, int], float]) -> None:
        self._number = number
        self._sku = sku
        self._request = f"GET {path} HTTP/1.1\r\nHost: cache\r\n\r\n".encode()
        self._seen = seen
        self._superseded = superseded
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._timer = self._loop.call_later(random.uniform(0, PERIOD_S), self._ask)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closed:
            self._seen.failed.append(f"cut off: {exc!r}")

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()

    def _ask(self) -> None:
        assert self._transport is not None
        self._sent_at = self._loop.time()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lines = head.decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        length = int(headers["content-length"])
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._judge(lines[0].split()[1], headers, rest[:length])
        self._timer = self._loop.call_later(PERIOD_S * random.uniform(0.5, 1.5), self._ask)

    def _judge(self, status: str, headers: dict[str, str], body: bytes) -> None:
        seen = self._seen
        seen.answers += 1
        if status != "200":
            seen.failed.append(f"{status} {body[:80]!r}")
            return
        version = json.loads(body)["version"]
        age_s = max(0.0, self._sent_at - self._superseded(self._sku, version))
        if headers["stockwire-fresh"] == "true":
            seen.fresh_s = max(seen.fresh_s, age_s)
            seen.last_unmarked_at = max(seen.last_unmarked_at, self._sent_at)
        else:
            seen.marked += 1
            seen.marked_s = max(seen.marked_s, age_s)
        seen.versions.setdefault(self._sku, {})[self._number] = version


async def read_all(
    port: int, location: str, skus: Sequence[str], count: int, superseded: Callable[[str, int], float]
) -> tuple[Seen, list[Reader]]:
    """``count`` readers, one after the other connected."""
    seen, readers = Seen(), []
    loop = asyncio.get_running_loop()
    for number in range(count):
        sku = skus[number % len(skus)]
        reader = Reader(number, sku, f"/v1/availability/{location}/{sku}", seen, superseded)
        source = f"127.0.2.{number % ADDRESSES + 1}"
        await loop.create_connection(lambda reader=reader: reader, "127.0.0.1", port, local_addr=(source, 0))  # type: ignore[misc]
        readers.append(reader)
    return seen, readers
