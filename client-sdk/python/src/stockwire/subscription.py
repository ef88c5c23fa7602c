"""The async shell of a subscription: connects, feeds the session, waits, connects again."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from stockwire.connection import Closed, Connection, open_connection
from stockwire.errors import ConfigurationError, Invalid, Later, StockwireError, Unavailable
from stockwire.mailbox import Mailbox
from stockwire.reconnect import Reconnect
from stockwire.request import is_name
from stockwire.session import RENEW_LEAST_S, Changed, Dropped, Ending, Output, Send, Session, Taken
from stockwire.stream import Freshness, LevelChanged, Reconnecting, Snapshot, StreamEvent
from stockwire.view import State, View

DISCOVERY_TIMEOUT_S = 5.0
SKUS_MAX = 1_000

_log = logging.getLogger("stockwire")


class Subscription:
    """Live levels of a location, as one async iterator of `StreamEvent`s and as a `view` that is always right.

    Guarantees: within an epoch no version of a level ever goes back. Every change reaches the view, or a newer one
    does; after an interruption the stream goes on where it was, or begins with a complete snapshot. A slow reader gets
    fresh levels late, not old ones in order, and costs memory only for what is watched. The view follows whether or not
    anybody iterates.

    The iterator ends after `close` and raises what cannot be mended by coming back: BadToken, Forbidden, Invalid,
    StreamRefused, ConfigurationError. Everything else is retried for as long as the subscription is open, and
    `Reconnecting` says so. One reader at a time.
    """

    def __init__(
        self,
        location: str,
        skus: Sequence[str] | None,
        *,
        hubs: Callable[[], Awaitable[Sequence[str]]],
        token: Callable[[], Awaitable[str]],
        token_changes: bool,
        connect_timeout_s: float,
    ) -> None:
        _check(location, skus)
        self._location = location
        self._session = Session(location, skus)
        self._reconnect = Reconnect(token_changes=token_changes)
        self._mailbox = Mailbox(self._session.view)
        self._discover = hubs
        self._token = token
        self._token_changes = token_changes
        self._connect_timeout_s = connect_timeout_s
        self._hubs: list[str] = []
        self._next = 0
        self._listeners: list[Callable[[StreamEvent], object]] = []
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self._wake = asyncio.Event()
        self._ready = asyncio.Event()

    @property
    def view(self) -> View:
        return self._session.view

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise RuntimeError("a subscription is entered once; make another")
        self._task = asyncio.create_task(self._run(), name=f"stockwire subscription {self._location}")
        self._task.add_done_callback(self._finished)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Safe twice, and if never entered. No task and no socket is left when it returns."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def ready(self, timeout_s: float = 10.0) -> View:
        """The view, once a snapshot of the present connection is complete. Raises Unavailable after ``timeout_s``."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            raise Unavailable(f"no hub gave a snapshot of {self._location} within {timeout_s} s") from None
        if self._error is not None:
            raise self._error
        return self.view

    def listen(self, callback: Callable[[StreamEvent], object]) -> Callable[[], None]:
        """Call ``callback`` with every event, at once, in the event loop; it must not block. Returns how to stop.

        One that raises is logged, the others are still called.
        """
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamEvent:
        """Safe to cancel: no event is lost."""
        while True:
            event = self._mailbox.take()
            if event is not None:
                return event
            if self._task is None:
                raise RuntimeError("use `async with` first")
            if self._task.done():
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()

    def _finished(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._error = task.exception()
        self.view.state = State.CLOSED
        self._ready.set()
        self._wake.set()

    async def _run(self) -> None:
        """Until cancelled, or until an error that coming back cannot mend."""
        while True:
            ending = await self._connection()
            self._ready.clear()
            if self._session.lost(ending.code):
                self._mailbox.forget()
            decision = self._reconnect.after(ending, random.random())
            if isinstance(decision, StockwireError):
                raise decision
            _log.info(
                "stream of %s: %s; next try in %.2f s attempt=%d",
                self._location,
                ending.reason,
                decision,
                self._reconnect.attempt,
            )
            self._tell(Reconnecting(self._reconnect.attempt, decision, ending.reason))
            await asyncio.sleep(decision)

    async def _connection(self) -> Ending:
        """One connection, from its hub to its end."""
        try:
            url = await self._next_hub()
            token = await self._fresh_token()
        except Later as error:
            return Ending(str(error))
        except StockwireError as error:
            return Ending(str(error), error=error)
        async with open_connection(url, self._connect_timeout_s) as connection:
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
        while True:
            for output in self._session.receive(await connection.receive()):
                if isinstance(output, Ending):
                    return output
                if isinstance(output, Send):
                    await connection.send(output.text)
                else:
                    self._pass_on(output)

    def _pass_on(self, output: Output) -> None:
        view = self._session.view
        match output:
            case Changed(keys):
                self._mailbox.changed(keys)
                if self._listeners:
                    self._call_listeners(*(LevelChanged(level) for level in view.of(keys)))
            case Taken(keys, recovered):
                self._reconnect.succeeded()
                self._ready.set()
                self._mailbox.snapshot(keys, recovered=recovered)
                levels = view.of(sorted(keys)) if recovered else tuple(view.values())
                self._call_listeners(Snapshot(levels, recovered))
            case Dropped():
                self._mailbox.forget()
            case Freshness():
                self._tell(output)
        self._wake.set()

    def _tell(self, notice: Freshness | Reconnecting) -> None:
        self._mailbox.notice(notice)
        self._call_listeners(notice)
        self._wake.set()

    def _call_listeners(self, *events: StreamEvent) -> None:
        for listener in tuple(self._listeners):
            for event in events:
                try:
                    listener(event)
                except Exception:  # noqa: BLE001 - foreign code: one listener must not take the stream from the others
                    _log.exception("a listener of %s raised", self._location)

    async def _next_hub(self) -> str:
        """The hubs in turn, beginning anywhere; asks for them anew after each round. Raises StockwireError."""
        if self._next >= len(self._hubs):
            await self._discover_hubs()
        url = self._hubs[self._next]
        self._next += 1
        return url

    async def _discover_hubs(self) -> None:
        try:
            async with asyncio.timeout(DISCOVERY_TIMEOUT_S):
                hubs = list(await self._discover())
        except (StockwireError, TimeoutError) as error:
            if not self._hubs:
                raise error if isinstance(error, StockwireError) else Unavailable("the ledger did not answer") from None
            hubs = self._hubs  # the hubs serve on without a ledger
        if not hubs:
            raise ConfigurationError("the ledger names no hubs: set STOCKWIRE_HUB_STREAM_URLS where it runs")
        if hubs != self._hubs:
            begin = random.randrange(len(hubs))
            hubs = hubs[begin:] + hubs[:begin]
        self._hubs, self._next = hubs, 0

    async def _fresh_token(self) -> str:
        """Raises StockwireError; Unavailable if the application has none now."""
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                token = await self._token()
        except StockwireError:
            raise
        except Exception as error:  # foreign code: most often a failed request of its own
            _log.warning("no token for the stream of %s: %r", self._location, error)
            raise Unavailable(f"the application gave no token: {error!r}") from error
        if not token:
            raise ConfigurationError("a stream needs a key or a token: set STOCKWIRE_API_KEY")
        return token

    async def _keep_token(self, connection: Connection) -> None:
        """Renew the token before it ends, so that the stream is not interrupted every few minutes."""
        while self._token_changes:
            await asyncio.sleep(self._session.renew_after_s(datetime.now(UTC)))
            if not self._session.renewable:
                continue
            try:
                await connection.send(self._session.renew(await self._fresh_token()))
            except (Closed, StockwireError) as error:
                _log.warning("the token of the stream of %s was not renewed: %s", self._location, error)
            await asyncio.sleep(RENEW_LEAST_S)  # the hub's answer says how long the new one lasts


def _check(location: str, skus: Sequence[str] | None) -> None:
    """What a hub would refuse by its default limits. Raises Invalid."""
    if location != "*" and not is_name(location):
        raise Invalid("location", f"{location!r} is not 1 to 64 visible characters without / and *, nor * for all")
    if skus is None:
        return
    if location == "*":
        raise Invalid("skus", "named skus need one location")
    if not 1 <= len(skus) <= SKUS_MAX:
        raise Invalid("skus", f"{len(skus)} skus: name 1 to {SKUS_MAX}, or None for the whole location")
    for sku in skus:
        if not is_name(sku):
            raise Invalid("skus", f"{sku!r} is not 1 to 64 visible characters without / and *")
