"""A connection to the broker for what is said often: each reply is handed over as it is read, and nobody waits for one.

redis-py opens it, with everything that a URL may say (TLS, users, sockets, databases), and then steps aside: its client
takes a task, a timer and several futures for each message, which is more than all else that happens to it. What is said
rarely goes through redis-py as a whole. See docs/decisions/0022-messages-without-a-client.md.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import hiredis
from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import InvalidResponse, ResponseError

REPLY_BYTES_MAX = 64 * 2**20
"""Of one reply: many times the largest batch. Beyond it somebody else sends on our channels, or no broker answers."""
AHEAD_BYTES_MAX = 2**20
"""Written and not yet taken by the system; what comes then waits for its turn where it is, and can be dropped there."""

Receive = Callable[[Any], None]
"""Called with each reply and each message, in order: a number, text as bytes, or a list of those. May not wait."""

_NOTHING = object()


class BrokerConnection(asyncio.Protocol):
    """RESP 2, as every Redis-compatible server speaks it. ``heard_at``: when it last read something, by ``clock``.

    It ends with the first error: one that the broker replies, one of the network, or one that ``receive`` raises.
    """

    def __init__(self, transport: asyncio.Transport, receive: Receive) -> None:
        loop = asyncio.get_running_loop()
        self.clock = loop.time
        self._transport = transport
        self._receive = receive
        self._replies = hiredis.Reader(protocolError=InvalidResponse, replyError=ResponseError, notEnoughData=_NOTHING)
        self._ended: asyncio.Future[Exception | None] = loop.create_future()
        self.heard_at = self.clock()

    @property
    def takes_more(self) -> bool:
        """Whether ``send`` would neither be in vain nor gather what the broker does not read."""
        return not self._ended.done() and self._transport.get_write_buffer_size() < AHEAD_BYTES_MAX

    def send(self, command: bytes) -> None:
        """``command``: as ``packed`` makes it. Never waits and never fails: a connection that is lost says so once."""
        if not self._transport.is_closing():
            self._transport.write(command)

    def close(self) -> None:
        """``watch`` returns. What the broker has not answered may be lost; what it would still say is. Safe twice."""
        self._end(None)

    async def watch(self, silent_since: Callable[[], float], silence_s: float) -> None:
        """Until ``close``. Raises what else ended it: TimeoutError when it was silent for ``silence_s``.

        ``silent_since``: when it last spoke, or had no reason to, by ``clock``. Asked when that may be too long ago.
        """
        while not self._ended.done():
            left_s = silent_since() + silence_s - self.clock()
            if left_s <= 0:
                raise TimeoutError(f"silent for {silence_s:g} s")
            await asyncio.wait([self._ended], timeout=left_s)
        if (error := self._ended.result()) is not None:
            raise error

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.clock()
        try:
            self._read(data)
        except Exception as error:  # noqa: BLE001  whoever watches raises it again
            self._end(error)
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionResetError("the broker closed the connection"))

    def _read(self, data: bytes) -> None:
        self._replies.feed(data)
        while not self._ended.done() and (reply := self._replies.gets()) is not _NOTHING:
            if isinstance(reply, ResponseError):
                raise reply
            self._receive(reply)
        if self._replies.len() > REPLY_BYTES_MAX:
            raise InvalidResponse(f"a reply has more than {REPLY_BYTES_MAX} bytes")

    def _end(self, error: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(error)


@asynccontextmanager
async def broker_connection(url: str, receive: Receive, connect_s: float) -> AsyncIterator[BrokerConnection]:
    """``url``: as ``read_broker_url`` returns it. Raises RedisError, OSError or TimeoutError if that takes longer
    than ``connect_s`` or fails."""
    opened = _opener(url, connect_s)
    try:
        await _connect(opened, connect_s)
        writer = opened._writer  # there is no other way to it
        assert writer is not None
        transport = cast(asyncio.Transport, writer.transport)  # StreamWriter says less of it than it is
        connection = BrokerConnection(transport, receive)
        transport.set_protocol(connection)
        try:
            yield connection
        finally:
            transport.abort()  # nothing is left to say, or nobody who would listen
    finally:
        await opened.disconnect(nowait=True)


async def _connect(opened: AbstractConnection, connect_s: float) -> None:
    try:
        async with asyncio.timeout(connect_s):
            await opened.connect()  # type: ignore[no-untyped-call]  # redis has none
    except RuntimeError as error:  # of uvloop, for a write to a connection that was reset a moment ago
        raise ConnectionResetError(str(error)) from error


def packed(*command: str | bytes) -> bytes:
    """A command as it goes out."""
    written: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # declared for one word alone
    return written


def _opener(url: str, connect_s: float) -> AbstractConnection:
    """redis-py's connection. Without a timeout of its own, for which it would make a task of each command."""
    options: dict[str, Any] = {
        "protocol": 2,
        "socket_timeout": None,
        "socket_connect_timeout": connect_s,
        "health_check_interval": 0,
        "retry": Retry(NoBackoff(), 0),
        **parse_url(url),
    }
    kind: type[AbstractConnection] = options.pop("connection_class", Connection)
    return kind(**options)
