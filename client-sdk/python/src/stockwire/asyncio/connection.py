"""One WebSocket to one hub, every wait of it bounded."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from stockwire.errors import BadToken, Forbidden
from stockwire.frame import SUBPROTOCOL
from stockwire.said import said
from stockwire.session import Ending

CLOSE_TIMEOUT_S = 1.0
LOOK_S = 0.5
GRACE_S = 0.2
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
    """``heard_at``: when the hub said something last, by the loop's clock."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._clock = asyncio.get_running_loop().time
        self._given_up: str | None = None
        self.heard_at = self._clock()

    async def send(self, text: str) -> None:
        """Raises Closed."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._socket.send(text)
        except TimeoutError:
            raise Closed(f"the hub took nothing for {SEND_TIMEOUT_S:g} s", None) from None
        except ConnectionClosed as error:
            raise self._closed(error) from error

    async def receive(self) -> bytes | str:
        """The next message, however long it takes: have `watch_silence` run beside it. Raises Closed."""
        try:
            message = await self._socket.recv(decode=False)
        except ConnectionClosed as error:
            raise self._closed(error) from error
        self.heard_at = self._clock()
        return message

    async def watch_silence(self, silence_s_max: Callable[[], float]) -> None:
        """End the connection when nothing was heard for so long; `receive` then raises Closed. Until cancelled.

        One task instead of a timer for each message: thousands may come in a second.
        """
        while True:
            # Looked at often, since the bound shrinks once the hub has said how often it speaks
            await asyncio.sleep(min(LOOK_S, silence_s_max()))
            if self._clock() - self.heard_at <= silence_s_max():
                continue
            # The loop may have been held up by the application: what has arrived meanwhile is read first
            await asyncio.sleep(GRACE_S)
            if self._clock() - self.heard_at > silence_s_max():
                self._given_up = f"nothing heard for {silence_s_max():g} s"
                self._socket.transport.abort()
                return

    def _closed(self, error: ConnectionClosed) -> Closed:
        if self._given_up is not None:
            return Closed(self._given_up, None)
        if error.rcvd is None:
            return Closed("the connection was lost", None)
        return Closed(error.rcvd.reason or f"closed with code {error.rcvd.code}", error.rcvd.code)


@asynccontextmanager
async def open_connection(
    url: str, timeout_s: float, trust: ssl.SSLContext | None = None
) -> AsyncGenerator[Connection | Ending]:
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
            ssl=(trust or True) if url.lower().startswith("wss:") else None,
        )
    except InvalidStatus as error:
        yield _refused(url, error.response.status_code)
        return
    except (OSError, TimeoutError, WebSocketException) as error:
        yield Ending(f"{url} cannot be reached: {said(error)}")
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
