"""A connection that is not taken: 503 to whatever it asks, or nothing, for as little work as possible."""

import asyncio
import random

WAIT_S = 1.0  # for the request, so that the answer does not meet a closed door; then it is cut off
RETRY_AFTER_MAX_S = 5
_TEXT = b"This hub takes no more connections now\n"
ANSWERS = tuple(
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\nRetry-After: %d\r\n\r\n%s" % (len(_TEXT), seconds, _TEXT)
    for seconds in range(1, RETRY_AFTER_MAX_S + 1)
)
"""With times to come back that are spread, so that not everybody comes at once."""


class Refusal(asyncio.Protocol):
    """Parses nothing, makes no task, and holds no more than the transport itself."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvloop's is none
        self._transport = transport
        self._late = asyncio.get_running_loop().call_later(WAIT_S, transport.abort)

    def data_received(self, _: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(random.choice(ANSWERS))
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self._late.cancel()


class Cut(asyncio.Protocol):
    """A connection that is cut off where TLS comes first: an answer would cost a handshake."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvloop's is none
        transport.abort()
