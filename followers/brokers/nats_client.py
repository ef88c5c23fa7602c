"""One connection to NATS. It is never mended by the library, which would hide what was lost: whoever uses it opens
another one."""

import asyncio
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from followers.brokers.answered import Answer, End, answered
from followers.brokers.broker import PASSWORD, USER, Broker
from followers.brokers.tls import NoTls, connecting

PORT = 4222
VIOLATION, LIBRARYS = "permissions violation", "nats: "
ANSWERS = 'publish to "_inbox.'
CONNECT_S = 5.0
ANSWER_S = 10.0
"""For each answer of the server; one that syncs every write to a slow disk takes some."""
CLOSE_S = 2.0
PING_S = 5.0
ATOMIC_SINCE = (2, 12)
"""The nats-server that knows atomic batches (ADR-50)."""
BATCH_ID, BATCH_SEQUENCE, BATCH_COMMIT = "Nats-Batch-Id", "Nats-Batch-Sequence", "Nats-Batch-Commit"
"""Headers of a message in one."""
PINGS_MAX = 2
"""Unanswered: a server that stands still is left after 15 s, also where nothing is asked of it."""


class UserRefused(ConnectionError):
    """By the server: it does not know the user, or the user lacks a right, and which."""


class NatsConnection:
    """Of whoever entered it. ``client`` and ``jetstream`` raise what the library raises, and ``within`` ConnectionError
    as well: as soon as the connection ends or after ``ANSWER_S``, where the library would go on waiting."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.client = _Client()
        self.complaint = ""
        self.jetstream: JetStreamContext
        self._broker = broker
        self._name = name
        self._closed = End()

    @property
    def is_open(self) -> bool:
        return self.client.is_connected and not self._closed.is_set()

    @property
    def has_batches(self) -> bool:
        """Whether a stream may be made that takes atomic batches."""
        version = self.client.connected_server_version
        return (version.major, version.minor) >= ATOMIC_SINCE

    async def __aenter__(self) -> Self:
        """Tries the servers in their order. Raises what the last one raised: OSError, nats.errors.Error."""
        address = self._broker.address
        *others, last = (f"{address.scheme}://{server}" for server in address.servers(PORT))
        for server in others:
            try:
                return await self._connect(server)
            except (OSError, nats.errors.Error):
                self.client = _Client()
        return await self._connect(last)

    async def _connect(self, server: str) -> Self:
        client = self.client
        context = self._broker.context_now()
        host, port = urlsplit(server).hostname or "", urlsplit(server).port or PORT
        try:
            async with (
                connecting(self._broker, host, port, (OSError, nats.errors.Error), greets=True),
                asyncio.timeout(CONNECT_S),
            ):
                await client.connect(
                    [server],
                    name=self._name,
                    allow_reconnect=False,
                    connect_timeout=int(CONNECT_S),
                    ping_interval=int(PING_S),
                    max_outstanding_pings=PINGS_MAX,
                    error_cb=self._complained,
                    closed_cb=self._on_closed,
                    tls=context,
                    user=self._broker.user or None,
                    password=self._broker.password or None,
                )
        except nats.errors.Error as error:
            await self._leave()
            if "authorization" in str(error).lower():  # of the library an error without a class of its own
                raise UserRefused(f"the server does not know this user: see {USER} and {PASSWORD}_FILE") from error
            raise
        except BaseException:
            await self._leave()  # a server that refuses us has a socket of ours all the same
            raise
        self._closed.clear()
        self.jetstream = client.jetstream(timeout=ANSWER_S)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()
        self._closed.set()

    async def _leave(self) -> None:
        """Never raises."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.client.close()
        except (OSError, nats.errors.Error):  # and TimeoutError: it is gone either way
            pass

    async def within(self, asked: Coroutine[Any, Any, Answer]) -> Answer:
        """``asked``: something of ``client`` or ``jetstream`` that answers."""
        try:
            return await answered(asked, self._closed, ANSWER_S)
        except ConnectionError as error:
            raise self._end_of(str(error)) from error

    def check(self) -> None:
        """Raises ConnectionError if it has ended."""
        if not self.is_open:
            raise self._end_of("the connection ended")

    def _end_of(self, said: str) -> ConnectionError:
        if VIOLATION in self.complaint.lower():
            return UserRefused(f"this user lacks a right: {self.complaint.removeprefix(LIBRARYS)}")
        return ConnectionError(f"{said} ({self.complaint})" if self.complaint else said)

    async def _complained(self, error: Exception) -> None:
        """What a server refuses without an answer. Where it is a subject that the user has no right to, nothing is
        waited for any more: there will be no answer. What somebody else waits for is no right that we need."""
        if ANSWERS in str(error).lower():
            return
        self.complaint = str(error)
        if VIOLATION in self.complaint.lower():
            self._closed.set()

    async def _on_closed(self) -> None:
        self._closed.set()


class _Client(Client):
    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        """Called before anything is sent. Where encryption is asked for, the library takes a server at its word that it
        wants none, and would send it the password in the open."""
        if initial_connection and "tls" in self.options:
            if not info.get("tls_required") and not info.get("tls_available"):
                raise NoTls("it offers no TLS, and the URL asks for it: see the scheme and the port", refused=True)
            info["tls_required"] = True
        await super()._process_info(info, initial_connection)

    async def send(self, commands: Sequence[bytes]) -> None:
        """``commands``: see ``command``. As ``publish`` without an answer, in a tenth of its time: they go to the
        socket together, and of subjects and headers it is known already that they hold no blanks and no line ends that
        a protocol of lines could trip over."""
        if self.is_closed:
            raise nats.errors.ConnectionClosedError
        await self._send_command(b"".join(commands))


def command(subject: str, headers: str, body: bytes) -> bytes:
    """``HPUB`` of NATS' protocol for clients: a message with headers. ``headers``: lines, each with its end."""
    head = f"NATS/1.0\r\n{headers}\r\n".encode()
    size = len(head)
    line = f"HPUB {subject} {size} {size + len(body)}\r\n".encode()
    return b"".join((line, head, body, b"\r\n"))
