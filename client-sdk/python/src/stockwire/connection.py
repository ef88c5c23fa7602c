"""One WebSocket to one hub, every wait of it bounded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from stockwire.errors import BadToken, Forbidden
from stockwire.frame import SUBPROTOCOL
from stockwire.session import Ending

CLOSE_TIMEOUT_S = 1.0
SEND_TIMEOUT_S = 10.0
MESSAGE_BYTES_MAX = 8 * 2**20
"""Far above any part of a snapshot; a bound all the same, since the whole message is held in memory."""


class Closed(Exception):
    """``code``: None if the connection was lost without a close frame."""

    def __init__(self, reason: str, code: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Connection:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        """Raises Closed."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._socket.send(text)
        except TimeoutError:
            raise Closed(f"the hub took nothing for {SEND_TIMEOUT_S:g} s", None) from None
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def receive(self, timeout_s: float) -> str | bytes:
        """Raises TimeoutError, Closed."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._socket.recv()
        except ConnectionClosed as error:
            raise _closed(error) from error


@asynccontextmanager
async def open_connection(url: str, timeout_s: float) -> AsyncIterator[Connection | Ending]:
    """The connection, or why there is none. Closed on leaving, at the latest after `CLOSE_TIMEOUT_S`."""
    try:
        socket = await connect(
            url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            open_timeout=timeout_s,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,  # the hub's heartbeats are the sign of life
            max_size=MESSAGE_BYTES_MAX,
        )
    except InvalidStatus as error:
        yield _refused(url, error.response.status_code)
        return
    except (OSError, TimeoutError, WebSocketException) as error:
        yield Ending(f"{url} cannot be reached: {error or type(error).__name__}")
        return
    try:
        yield Connection(socket)
    finally:
        await socket.close()


def _refused(url: str, status: int) -> Ending:
    reason = f"{url} answered status {status}"
    if status == 401:
        return Ending(reason, error=BadToken(reason))
    if status == 403:
        return Ending(reason, error=Forbidden(reason))
    return Ending(reason)


def _closed(error: ConnectionClosed) -> Closed:
    if error.rcvd is None:
        return Closed("the connection was lost", None)
    return Closed(error.rcvd.reason or f"closed with code {error.rcvd.code}", error.rcvd.code)
