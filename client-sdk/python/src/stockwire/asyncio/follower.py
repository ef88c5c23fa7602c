"""Follows one selection over all its connections: connects, feeds the session, waits, connects again."""

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from stockwire import argument
from stockwire.asyncio.connection import Closed, Connection, open_connection
from stockwire.asyncio.hubs import Hubs
from stockwire.errors import ConfigurationError, Invalid, Later, StockwireError, Unavailable
from stockwire.reconnect import Reconnect
from stockwire.session import RENEW_LEAST_S, Ending, Output, Send, Session, Taken
from stockwire.stream import Reconnecting

_log = logging.getLogger("stockwire")


class Subscriber(Protocol):
    """Who is told. Called from the event loop; nothing here may block."""

    @property
    def session(self) -> Session[Any, Any]: ...

    def receive(self, message: bytes | str) -> Sequence[Output[Any]]:
        """Feed the session, and tell the application what came of it."""
        ...

    def lost(self, code: int | None) -> None:
        """The connection has gone."""
        ...

    def reconnecting(self, notice: Reconnecting) -> None: ...


class Follower:
    """``connect_timeout_s``: for the wait for a token, and for a hub. ``token_changes``: it is another each time.
    ``trust``: for wss; None: the usual authorities."""

    def __init__(
        self,
        subscriber: Subscriber,
        name: str,
        *,
        hubs: Callable[[], Awaitable[Sequence[str]]],
        token: Callable[[], Awaitable[str]],
        token_changes: bool,
        connect_timeout_s: float,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._subscriber = subscriber
        self._session = subscriber.session
        self._name = name
        self._reconnect = Reconnect(token_changes=token_changes)
        self._hubs = Hubs(hubs)
        self._token = token
        self._token_changes = token_changes
        self._connect_timeout_s = connect_timeout_s
        self._trust = trust
        self._lifetime_told_at = 0.0

    async def run(self) -> None:
        """Until cancelled. Raises the error that coming back cannot mend."""
        while True:
            ending = await self._connection()
            self._subscriber.lost(ending.code)
            decision = self._reconnect.after(ending, random.random())
            if isinstance(decision, StockwireError):
                raise decision
            attempt = self._reconnect.attempt
            _log.info(
                "a stream is interrupted stream=%s reason=%r next_try_s=%.2f attempt=%d",
                self._name,
                ending.reason,
                decision,
                attempt,
            )
            self._subscriber.reconnecting(Reconnecting(attempt, decision, ending.reason))
            await asyncio.sleep(decision)

    async def _connection(self) -> Ending:
        """One connection, from its hub to its end."""
        try:
            url = await self._hubs.next()
            token = await self._fresh_token()
        except Later as error:
            return Ending(str(error))
        except StockwireError as error:
            return Ending(str(error), error=error)
        async with open_connection(url, self._connect_timeout_s, self._trust) as connection:
            if isinstance(connection, Ending):
                return connection
            return await self._converse(connection, token)

    async def _converse(self, connection: Connection, token: str) -> Ending:
        async with asyncio.TaskGroup() as group:
            beside = (
                group.create_task(self._keep_token(connection), name="stockwire token renewal"),
                group.create_task(connection.watch_silence(self._silence_s_max), name="stockwire silence watch"),
            )
            try:
                await connection.send(self._session.begin(token))
                return await self._receive(connection)
            except Closed as closed:
                return Ending(closed.reason, closed.code)
            finally:
                for task in beside:
                    task.cancel()

    def _silence_s_max(self) -> float:
        return self._session.silence_s_max or self._connect_timeout_s

    async def _receive(self, connection: Connection) -> Ending:
        """Raises Closed."""
        clock = asyncio.get_running_loop().time
        while True:
            message = await connection.receive()
            known = self._session.connected
            outputs = self._subscriber.receive(message)
            if self._session.connected is not known:
                self._lifetime_told_at = clock()
            for output in outputs:
                match output:
                    case Ending():
                        return output
                    case Send(text):
                        await connection.send(text)
                    case Taken():
                        self._reconnect.succeeded()

    async def _fresh_token(self) -> str:
        """Raises StockwireError; Unavailable if the application has none now."""
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                token: object = await argument.awaited("token", self._token())
        except StockwireError:
            raise
        except Exception as error:  # foreign code: most often a failed request of its own
            _log.warning("no token for a stream stream=%s reason=%r", self._name, error)
            raise Unavailable(f"the application gave no token: {error!r}") from error
        if not token:
            raise ConfigurationError("a stream needs a key or a token: set STOCKWIRE_API_KEY")
        if not isinstance(token, str):
            raise Invalid("token", f"the function gave a {type(token).__name__}, which is no text")  # never shown
        return token

    async def _keep_token(self, connection: Connection) -> None:
        """Renew the token before it ends, so that the stream is not interrupted every few minutes."""
        clock = asyncio.get_running_loop().time
        while self._token_changes:
            since_s = clock() - self._lifetime_told_at
            due_s = self._session.renew_after_s(since_s, datetime.now(UTC))
            await asyncio.sleep(RENEW_LEAST_S if due_s is None else due_s)
            if due_s is None:  # look again: it may be known by now
                continue
            try:
                await connection.send(self._session.renew(await self._fresh_token()))
            except (Closed, StockwireError) as error:
                _log.warning("the token of a stream was not renewed stream=%s reason=%r", self._name, str(error))
            await asyncio.sleep(RENEW_LEAST_S)  # the hub's answer says how long the new one lasts
