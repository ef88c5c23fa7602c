"""What an application on asyncio holds of a stream: events to iterate over, and a view."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Generic, Self

from stockwire import argument
from stockwire.asyncio.follower import Follower
from stockwire.asyncio.home import HomeLoop
from stockwire.asyncio.inbox import Inbox
from stockwire.errors import Unavailable
from stockwire.kind import ViewKind
from stockwire.selection import checked_skus
from stockwire.session import Session
from stockwire.stream import C, StreamEvent
from stockwire.tracing import handed
from stockwire.view import State, View
from stockwire.watched import T


class AsyncSubscription(Generic[T, C]):
    """Live levels of a location, as one async iterator of `StreamEvent`s and as a `view` that is always right.

    Guarantees: within an epoch no version of a level ever goes back. Every change reaches the view, or a newer one
    does; after an interruption the stream goes on where it was, or begins with a complete snapshot, and either way each
    level that changed meanwhile is told as a change: the first snapshot and the changes alone end equal to the ledger.
    A slow reader gets fresh levels late, not old ones in order, and costs memory only for what is watched. The view
    follows whether or not anybody iterates.

    The iterator ends after `close` and raises what cannot be mended by coming back: BadToken, Forbidden, Invalid,
    StreamRefused, ConfigurationError. Everything else is retried for as long as the subscription is open, and
    `Reconnecting` says so. One reader at a time. Made by `AsyncClient.subscribe` and its likes.

    >>> async with client.subscribe("berlin", ["A-100"]) as subscription:
    ...     async for event in subscription:
    ...         if isinstance(event, Snapshot):
    ...             sold = await client.stock.sell("A-100", "berlin", 3)
    ...         elif isinstance(event, LevelChanged):
    ...             print(event.level.sku, event.level.available)
    ...             break
    A-100 7
    """

    def __init__(
        self,
        kind: ViewKind[T, C],
        location: str,
        skus: Iterable[str] | None,
        *,
        hubs: Callable[[], Awaitable[Sequence[str]]],
        token: Callable[[], Awaitable[str]],
        token_changes: bool,
        connect_timeout_s: float,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        named = checked_skus(location, skus)
        connect_timeout_s = argument.seconds("connect_timeout_s", connect_timeout_s, argument.TIMEOUT_S_MIN)
        argument.function("token", token, blocking=False)
        self._location = location
        self._inbox = Inbox(Session(kind, location, named), location)
        self._follower = Follower(
            self._inbox,
            location,
            hubs=hubs,
            token=token,
            token_changes=token_changes,
            connect_timeout_s=connect_timeout_s,
            trust=trust,
        )
        self._check_home = HomeLoop("this subscription")
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None

    @property
    def view(self) -> View[T]:
        """What is held, by (location, sku). See `View`."""
        return self._inbox.session.view

    async def __aenter__(self) -> Self:
        if self._task is not None or self._closed:
            raise RuntimeError("a subscription is entered once; make another")
        self._check_home()
        self._task = asyncio.create_task(self._follower.run(), name=f"stockwire subscription {self._location}")
        self._task.add_done_callback(self._finished)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Safe twice, and if never entered. No task and no socket is left when it returns.

        Raises RuntimeError in another event loop than that which runs it, and in a fork's child: neither could end it.

        >>> async with client.subscribe("berlin") as subscription:
        ...     await subscription.close()
        ...     print([event async for event in subscription], subscription.view.state)
        [] State.CLOSED
        """
        if self._task is not None and not self._task.done():  # one that is done may be of a loop that is closed
            self._check_home()
            self._task.cancel()
            await asyncio.wait([self._task])
        self._inbox.end()

    async def ready(self, timeout_s: float = 10.0) -> View[T]:
        """The view, once a snapshot of the present connection is complete.

        Raises Unavailable after ``timeout_s`` seconds, and what has ended the subscription.

        >>> async with client.subscribe("berlin") as subscription:
        ...     view = await subscription.ready()
        >>> view["berlin", "A-100"].available
        10
        """
        timeout_s = argument.seconds("timeout_s", timeout_s)
        self._check_entered()
        try:
            async with asyncio.timeout(timeout_s):
                await self._inbox.ready.wait()
        except TimeoutError:
            raise Unavailable(f"no hub gave a snapshot of {self._location} within {timeout_s} s") from None
        if self._error is not None:
            raise self._error
        if self._closed:
            raise RuntimeError("the subscription is closed")
        return self.view

    def listen(self, callback: Callable[[StreamEvent[T, C]], object]) -> Callable[[], None]:
        """Call ``callback`` with every event, at once, in the event loop; it must not block. Returns how to stop.

        One that raises is logged, the others are still called.

        >>> async with client.subscribe("berlin") as subscription:
        ...     heard = []
        ...     stop = subscription.listen(heard.append)
        ...     view = await subscription.ready()
        ...     stop()
        >>> type(heard[0]).__name__
        'Snapshot'
        """
        argument.function("callback", callback)
        if self._closed:
            raise RuntimeError("the subscription is closed")
        listeners = self._inbox.listeners
        listeners.append(callback)
        return lambda: listeners.remove(callback) if callback in listeners else None

    async def next_event(self, timeout_s: float | None = None) -> StreamEvent[T, C] | None:
        """The next event, or None when none has come within ``timeout_s`` seconds.

        ``timeout_s`` 0: look and do not wait; None: however long it takes. Raises what the iterator raises, and
        RuntimeError once it is closed.

        >>> async with client.subscribe("berlin", ["A-100"]) as subscription:
        ...     event = await subscription.next_event(timeout_s=5.0)
        >>> isinstance(event, Snapshot)
        True
        """
        timeout_s = None if timeout_s is None else argument.seconds("timeout_s", timeout_s)
        if event := self._inbox.mailbox.take():  # at once, also with a timeout of 0
            return handed(event)
        try:
            async with asyncio.timeout(timeout_s):
                return await anext(self)
        except TimeoutError:
            return None
        except StopAsyncIteration:
            raise RuntimeError("the subscription is closed") from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamEvent[T, C]:
        """Safe to cancel: no event is lost."""
        while True:
            event = self._inbox.mailbox.take()
            if event is not None:
                return handed(event)
            self._check_entered()
            if self._closed:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._inbox.wake.clear()
            await self._inbox.wake.wait()

    @property
    def _closed(self) -> bool:
        return self.view.state is State.CLOSED

    def _check_entered(self) -> None:
        if self._task is None and not self._closed:
            raise RuntimeError("use `async with` first")
        if not self._closed:
            self._check_home()

    def _finished(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._error = task.exception()
        self._inbox.end()
