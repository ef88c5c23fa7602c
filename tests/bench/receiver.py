"""A receiver of webhooks that does the least: takes what is posted, and says how long after its commit each came.

``python -m tests.bench.receiver 0`` prints its port. ``POST /hang/...`` is not answered from ``GET /hanging`` until
``GET /answering``. ``GET /figures``: JSON of what came since it was asked last; times without those that may hang.
"""

import asyncio
import json
import time
from datetime import datetime
from typing import cast

from tests.bench.callers import content_length
from tests.bench.ratio import percentile

TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class Figures:
    """``late_ms``: from the commit of the event until it came."""

    def __init__(self) -> None:
        self.hanging = False
        self.all = 0
        self.late_ms: list[float] = []
        self.last = b""

    def take(self, head: bytes, body: bytes) -> None:
        self.all += 1
        self.last = head + b"\r\n\r\n" + body
        if not head.startswith(b"POST /hang/"):
            committed = datetime.fromisoformat(json.loads(body)["timestamp"]).timestamp()
            self.late_ms.append((time.time() - committed) * 1_000)

    def told(self) -> bytes:
        late = self.late_ms
        found = {
            "all": self.all,
            "count": len(late),
            "p50_ms": percentile(late, 0.5) if late else None,
            "p99_ms": percentile(late, 0.99) if late else None,
            "last": self.last.decode(),
        }
        self.all, self.late_ms = 0, []
        return json.dumps(found).encode()


class Connection(asyncio.Protocol):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < content_length(head):
            return
        self._buffer = b""
        if head.startswith(b"GET "):
            self._transport.write(self._answer(head.split(b" ", 2)[1]))
            return
        self._figures.take(head, body)
        if not (self._figures.hanging and head.startswith(b"POST /hang/")):
            self._transport.write(TAKEN)

    def _answer(self, path: bytes) -> bytes:
        if path in (b"/hanging", b"/answering"):
            self._figures.hanging = path == b"/hanging"
        content = self._figures.told() if path == b"/figures" else b"{}"
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)


async def main() -> None:
    figures = Figures()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(figures), "127.0.0.1", 0, backlog=4_096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
