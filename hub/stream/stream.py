"""The stream port: accepts WebSocket connections, converses, and ends them for all their reasons."""

import asyncio
import http
import logging
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.typing import Origin

from hub.endings import AWAY_MAX_MS, Ending
from hub.entry.access import Access
from hub.entry.connections import DEADLINES_S, Connections
from hub.entry.door import Door
from hub.entry.refusal import RETRY_AFTER_MAX_S, Cut, SecondLook, is_keyed
from hub.entry.serving import bound_send_buffer
from hub.entry.visitors import Port
from hub.errors import Crowded, Ended, LedgerUnavailable
from hub.fanout.fanout import Fanout
from hub.fanout.frames import Framing
from hub.fanout.session import Session
from hub.feed.feed import Feed
from hub.limits import Limits
from hub.protocols.native.conversation import Authenticate, Conversation, Greeting
from hub.stream.connection import Connection
from hub.stream.pulse import CLOSE_S
from hub.stream.stream_protocol import StreamProtocol
from server.http.listening import BACKLOG
from server.problems import Later, Unauthorized
from server.tls.handshakes import Handshakes
from server.tokens.credentials import credential_of
from wire.close_codes import CloseCode
from wire.hosts import is_allowed_host
from wire.messages import BRINGS_TOKEN

log = logging.getLogger(__name__)

PATH = "/v1/stream"
UPGRADE_STATUSES = (101, 400, 401, 403, 404, 421, 426, 429, 431, 503)


@dataclass(frozen=True, slots=True)
class StreamParts:
    """What the stream port is built from. ``origins`` and ``allowed_hosts``: as in the settings."""

    feed: Feed
    access: Access
    door: Door
    handshakes: Handshakes
    schedule_flush: Callable[[], None]
    limits: Limits
    greeting: Greeting
    origins: tuple[str, ...]
    allowed_hosts: tuple[str, ...]


class Stream:
    """The WebSocket connections of one hub. Counts for the metrics: ``upgrades`` by status, ``ends`` of connections by
    close code, ``cut_off`` connections that did not answer a close.
    """

    def __init__(self, parts: StreamParts) -> None:
        self.connections = Connections[Connection](parts.limits.connections_max, parts.limits.connection_age_s)
        self.schedule_flush = parts.schedule_flush
        self.ends: dict[int, int] = {int(code): 0 for code in CloseCode}
        self.upgrades = dict.fromkeys(UPGRADE_STATUSES, 0)
        self.cut_off = 0
        self.draining = False
        self._feed = parts.feed
        self._access = parts.access
        self._door = parts.door
        self._handshakes = parts.handshakes
        self._limits = parts.limits
        self._greeting = parts.greeting
        self._origins = None if "*" in parts.origins else [None, *(Origin(origin) for origin in parts.origins)]
        self._hosts = parts.allowed_hosts
        self._server: Server | None = None

    async def open(self, listener: socket.socket) -> None:
        """Accepts connections from now on."""
        bound_send_buffer(listener, self._limits.send_buffer_bytes)
        create = partial(asyncio.get_running_loop().create_server, self._connection, sock=listener, backlog=BACKLOG)
        self._server = Server(create, self._handle)
        await self._server

    async def end_all(self, ending: Ending) -> None:
        """With times to come back that are spread, so that not everybody comes at once."""
        spread_ms = min(AWAY_MAX_MS, 200 + len(self.connections))
        await self.connections.end_all(ending, lambda: random.randint(0, spread_ms))

    def close(self) -> None:
        """Nobody gets here any more, for good. Safe if never opened, and twice."""
        if self._server is not None:
            self._server.close(close_connections=False)

    async def drain(self) -> None:
        """Ask all connections to come back elsewhere. Returns when they are gone or cut off. While ``draining`` is set
        no others are taken: their handshakes get 503.

        Safe if never opened, and twice.
        """
        await self.end_all(Ending.STOPPING)
        try:
            async with asyncio.timeout(CLOSE_S + 2 * DEADLINES_S):
                await self.connections.wait_until_gone()
        except TimeoutError:
            for connection in self.connections:
                connection.abort()

    # one connection

    def _connection(self) -> asyncio.Protocol:
        """A handshake over the rate is refused here, before it costs a parser, a task, a look-up of keys or TLS."""
        if self._door.knock(asyncio.get_running_loop().time(), keyed=False):
            return self._handshakes.before(self._accepted)
        if self._handshakes.tls is None:
            return SecondLook(self._reconsidered, self._over_rate)
        self._door.over_rate()
        return Cut()

    def _reconsidered(self, head: bytes) -> Connection | None:
        """Visitors may not keep out those who come with a key."""
        return (
            self._accepted()
            if is_keyed(head) and self._door.knock(asyncio.get_running_loop().time(), keyed=True)
            else None
        )

    def _over_rate(self) -> None:
        self._door.over_rate()
        self.answered(http.HTTPStatus.SERVICE_UNAVAILABLE)

    def _accepted(self) -> Connection:
        assert self._server is not None
        high = self._limits.write_bytes_max
        protocol = StreamProtocol(self._origins, self._limits, asyncio.get_running_loop().time, self)
        return Connection(
            protocol,
            self._server,
            self._limits,
            self,
            ping_interval=None,  # ``check_deadlines`` pings: one loop for all instead of a task for each
            close_timeout=CLOSE_S,
            write_limit=(high, high // 4),
        )

    def came(self, connection: Connection) -> None:
        self._door.await_key(connection.caller, lambda: self._give_way(connection))

    def _give_way(self, connection: Connection) -> None:
        if connection.protocol.state is State.CONNECTING:
            connection.transport.abort()
            return
        connection.end(Ended(Ending.GIVES_WAY, newer=self._limits.unauthenticated_max))

    def left(self, connection: Connection) -> None:
        self._door.leave(connection.caller)

    def answered(self, status: int) -> None:
        self.upgrades[int(status)] = self.upgrades.get(int(status), 0) + 1

    def ended(self, code: int) -> None:
        self.ends[code] = self.ends.get(code, 0) + 1

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        assert isinstance(connection, Connection)
        if not is_allowed_host(request.headers.get_all("Host"), self._hosts):
            return connection.respond(http.HTTPStatus.MISDIRECTED_REQUEST, "This is not the host that was asked for\n")
        if request.path.partition("?")[0] != PATH:
            return connection.respond(http.HTTPStatus.NOT_FOUND, f"The stream is at {PATH}\n")
        if self.draining:
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "This hub is being stopped\n")
        forwarded_for = request.headers.get_all("X-Forwarded-For")
        if not self._door.located(connection.caller, _peer(connection), forwarded_for):
            most = self._limits.connections_per_address_max
            response = connection.respond(
                http.HTTPStatus.TOO_MANY_REQUESTS, f"An address may have {most} connections to this hub\n"
            )
            response.headers["Retry-After"] = str(random.randint(1, RETRY_AFTER_MAX_S))
            return response
        values = request.headers.get_all("Authorization")
        if not values:
            brings_token = BRINGS_TOKEN in ",".join(request.headers.get_all("Sec-WebSocket-Protocol"))
            if not brings_token and self._door.visitors.is_page(request.headers.get("Origin")):
                connection.visits_from = self._door.address_of(_peer(connection), forwarded_for)
            return None
        try:
            connection.principal = await self._access.principal(credential_of(values))
        except Unauthorized as error:
            response = connection.respond(http.HTTPStatus.UNAUTHORIZED, f"{error}\n")
            response.headers.update(error.headers)
            return response
        except LedgerUnavailable:
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "Keys cannot be checked now\n")
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        """The task of one connection, from its first byte until it is gone. The library's own ``serve`` makes a parser
        for each connection before it asks for ours.
        """
        assert isinstance(connection, Connection)
        assert self._server is not None
        task = asyncio.current_task()
        assert task is not None
        try:
            if await self._opened(connection):
                await self._serve(connection)
        except Exception:  # whoever made the task does not look at it
            log.exception("a connection has failed")
            connection.transport.abort()
        finally:
            self._server.handler_tasks.discard(task)

    async def _opened(self, connection: Connection) -> bool:
        """The opening handshake. Returns whether it came to a WebSocket; else the connection is gone."""
        try:
            async with asyncio.timeout(self._limits.authenticate_s):
                await connection.handshake(self._admit, server_header=None)
            if connection.protocol.state is State.OPEN:
                return True
        except (ConnectionClosed, TimeoutError):
            pass
        connection.transport.abort()
        return False

    async def _serve(self, connection: Connection) -> None:
        connection.answered()
        if self.connections.full and not self._door.visitors.at(Port.STREAM):
            self._door.full()
            connection.end(Ended(Ending.HUB_FULL))
            return
        self.connections.add(connection)
        fanout: Fanout | None = None
        try:
            fanout = await self._started(connection)
            session = self._join(connection, fanout)
            await self._converse(connection, session, Conversation(fanout, session, self._limits, self._greeting))
        except Ended as ended:
            connection.end(ended)
        except ConnectionClosed:
            pass
        finally:
            if fanout is not None and connection.session is not None:
                fanout.leave(connection.session)
            await self._closed(connection)

    async def _closed(self, connection: Connection) -> None:
        """A connection counts until its transport is gone: ``check_deadlines`` has to cut off a client that does not
        answer the close."""
        try:
            connection.end(Ended(Ending.FAILED))
            await connection.wait_closed()
        finally:
            if connection.cut_off:
                self.cut_off += 1
            self.connections.remove(connection)

    async def _started(self, connection: Connection) -> Fanout:
        """A client is told the epoch when it connects, so a ledger has to be reached first. Until then the client waits
        for us, and its own time to authenticate does not run."""
        fanout = self._feed.fanout
        if fanout is not None:
            return fanout
        connection.pulse.waiting_for_us = True
        try:
            async with asyncio.timeout(self._limits.authenticate_s):
                while fanout is None:
                    await self._feed.started.wait()
                    fanout = self._feed.fanout
        except TimeoutError:
            raise Ended(Ending.NO_LEDGER) from None
        connection.pulse.waiting_for_us, connection.pulse.opened_at = False, connection.loop.time()
        return fanout

    def _join(self, connection: Connection, fanout: Fanout) -> Session:
        write = connection.transport.write
        session = Session(write, Framing.WEBSOCKET, fanout.delivery.pumping, fanout.counts)
        session.principal = connection.principal
        connection.session = session
        self._authenticated(connection, session)
        if connection.paused:
            session.paused()
        fanout.join(session)
        return session

    async def _converse(self, connection: Connection, session: Session, conversation: Conversation) -> None:
        while True:
            message = await connection.recv()  # a loop over the connection itself would keep a generator for each
            if not session.open:
                return
            asked = conversation.receive(message, time.time())
            if asked is not None:
                if asked.token is None:
                    self._visit(connection, conversation, asked)
                else:
                    await self._authenticate(connection, conversation, asked, asked.token)
                    self._authenticated(connection, session)
            self.schedule_flush()

    async def _authenticate(
        self, connection: Connection, conversation: Conversation, asked: Authenticate, token: str
    ) -> None:
        """Raises Ended."""
        connection.pulse.waiting_for_us = True
        try:
            principal = await self._access.principal(token)
            conversation.authenticated(asked, principal, time.time())
        except Unauthorized as error:
            conversation.unauthorized(asked, error)
        except LedgerUnavailable as error:
            log.warning("a key cannot be checked now reason=%r", str(error))
            raise Ended(Ending.KEYS_UNCHECKED) from None

    def _visit(self, connection: Connection, conversation: Conversation, asked: Authenticate) -> None:
        """It shows no key. Raises Ended if it may not visit, or finds no place."""
        if connection.visits_from is None:
            raise Ended(Ending.TOKEN_MISSING)
        visitors, crowded = self._door.visitors, self.connections.over
        try:
            visit = visitors.come(Port.STREAM, connection.visits_from, connection.end, crowded=crowded)
        except Later as refused:
            raise Ended(Ending.VISITOR_REFUSED, error=refused, after_ms=1_000 * refused.retry_after_s) from None
        self._door.visits(connection.caller, visit)
        conversation.welcome(visitors, visit)
        connection.limit_messages(visitors.limits)
        connection.pulse.waiting_for_us = True
        conversation.authenticated(asked, visitors.principal, time.time())

    def _authenticated(self, connection: Connection, session: Session) -> None:
        """Raises Ended if its owner has as many connections as it may, or the hub."""
        if session.principal is None or session.principal is self._door.visitors.principal:
            return
        caller, newly = connection.caller, connection.caller.owner is None
        if caller.visit is not None:
            connection.limit_messages(self._limits)
        try:
            self._door.known(caller, session.principal.owner)
        except Crowded as crowded:
            raise Ended(Ending.OWNER_FULL, error=crowded) from None
        if newly and self.connections.over and not self._door.visitors.give_way(Port.STREAM):
            self._door.full()
            raise Ended(Ending.HUB_FULL)
        connection.visits_from = None
        connection.pulse.waiting_for_us = True
        connection.pulse.expires_at = session.principal.expires_at


def _peer(connection: Connection) -> str:
    """Empty if it has gone while its handshake was on the way: uvloop fails to say whose it was."""
    if connection.transport.is_closing():
        return ""
    peer = connection.remote_address
    return str(peer[0]) if isinstance(peer, tuple) else ""
