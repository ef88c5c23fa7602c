"""A connection that is not taken: 503 to whatever it asks, or nothing, for as little work as possible."""

import asyncio
import random
import re
from collections.abc import Callable

from wire.messages import BRINGS_TOKEN

WAIT_S = 1.0  # for the request, so that the answer does not meet a closed door; then it is cut off
MOMENT_S = 0.05  # more, in which what came while this process stood still is read
RETRY_AFTER_MAX_S = 5
_key = re.compile(rb"\r\n(?:Authorization:|Sec-WebSocket-Protocol:[^\r\n]*%b)" % re.escape(BRINGS_TOKEN.encode()), re.I)
_origin = re.compile(rb"\r\nOrigin:", re.I)
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
        self._late = asyncio.get_running_loop().call_later(WAIT_S, self._wait_a_moment)

    def data_received(self, _: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(random.choice(ANSWERS))
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self._late.cancel()

    def _wait_a_moment(self) -> None:
        self._late = asyncio.get_running_loop().call_later(MOMENT_S, self._transport.abort)


class SecondLook(Refusal):
    """A connection over the rate whose first bytes decide. ``reconsider``: what serves it after all, given these, or
    None. ``refused``: called once if nothing does.

    Nothing is kept: of a head that comes in pieces the first one counts.
    """

    def __init__(self, reconsider: Callable[[bytes], asyncio.Protocol | None], refused: Callable[[], None]) -> None:
        self._reconsider = reconsider
        self._refused = refused

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        protocol = self._reconsider(data)
        if protocol is None:
            super().data_received(data)
            return
        self._late.cancel()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._refused()


def is_keyed(head: bytes) -> bool:
    """Whether a request comes with a key or token, by its first bytes: it has one, its page says that one follows, or
    it comes from no page.
    """
    if _key.search(head):
        return True
    return b"\r\n\r\n" in head and not _origin.search(head)


class Cut(asyncio.Protocol):
    """A connection that is cut off where TLS comes first: an answer would cost a handshake."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvloop's is none
        transport.abort()
