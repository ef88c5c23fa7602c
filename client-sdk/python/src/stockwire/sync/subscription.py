"""What a program without asyncio holds of a stream: events to iterate over, callbacks, and a view."""

import atexit
import logging
import ssl
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self

from stockwire import argument
from stockwire.errors import Unavailable
from stockwire.kind import ViewKind
from stockwire.selection import checked_skus
from stockwire.stream import C, StreamEvent
from stockwire.sync.fork import ForkCheck
from stockwire.sync.inbox import Ended, Inbox
from stockwire.tracing import handed
from stockwire.view import State, View
from stockwire.watched import T

if TYPE_CHECKING:  # what needs asyncio is imported when a stream begins: most programs that block never have one
    from stockwire.asyncio.client import AsyncClient
    from stockwire.sync.listener import Listener
    from stockwire.sync.loop_thread import LoopThread

CLOSE_TIMEOUT_S = 5.0
"""For the connection to end: its closing handshake is given 1 s, so this is met unless the machine stands still."""
CALLBACK_TIMEOUT_S = 2.0
"""For all callbacks under way together. One may be waiting for the very thread that closes."""

_log = logging.getLogger("stockwire")


class Subscription(Generic[T, C]):
    """Live levels of a location: iterate over `StreamEvent`s, or `listen`, or read the `view`, which is always right.

    Guarantees: within an epoch no version of a level ever goes back. Every change reaches the view, or a newer one
    does; after an interruption the stream goes on where it was, or begins with a complete snapshot, and either way each
    level that changed meanwhile is told as a change: the first snapshot and the changes alone end equal to the ledger.
    A slow reader gets fresh levels late, not old ones in order, and costs memory only for what is watched. The view
    follows whether or not anybody iterates.

    The iterator ends after `close` and raises what cannot be mended by coming back: BadToken, Forbidden, Invalid,
    StreamRefused, ConfigurationError. Everything else is retried for as long as the subscription is open, and
    `Reconnecting` says so.

    The connection is kept by a thread of its own, which never runs code of yours, so nothing that you do makes it fall
    silent. Everything here may be called from any thread, callbacks included; threads that iterate share the events
    among them. No thread keeps the process alive. After a fork, and after `close`, use raises RuntimeError; the view
    stays readable after `close`. Made by `Client.subscribe` and its likes.

    >>> with client.subscribe("berlin", ["A-100"]) as subscription:
    ...     for event in subscription:
    ...         if isinstance(event, Snapshot):
    ...             sold = client.stock.sell("A-100", "berlin", 3)
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
        connect: "Callable[[], AsyncClient]",
        key: str,
        token: Callable[[], str] | None,
        connect_timeout_s: float,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        named = checked_skus(location, skus)
        connect_timeout_s = argument.seconds("connect_timeout_s", connect_timeout_s, argument.TIMEOUT_S_MIN)
        if token is not None:
            argument.function("token", token)
        self._location = location
        self._connect = connect
        self._connect_timeout_s = connect_timeout_s
        self._trust = trust
        self._key = key
        from stockwire.sync.asking import Asking

        self._token = None if token is None else Asking(token, f"stockwire token for {location}")
        self._inbox = Inbox(kind, location, named)
        self._mailbox = self._inbox.open_mailbox()
        self._check_fork = ForkCheck("this subscription")
        self._listeners: set[Listener[T, C]] = set()
        self._thread: LoopThread | None = None

    @property
    def view(self) -> View[T]:
        """What is held, by (location, sku), readable from any thread. See `View`."""
        return self._inbox.session.view

    def __enter__(self) -> Self:
        self._check_fork()
        if self._thread is not None or self._closed:
            raise RuntimeError("a subscription is entered once; make another")
        from stockwire.sync.loop_thread import LoopThread

        self._thread = LoopThread(self._follow, f"stockwire subscription {self._location}", self._end)
        self._thread.start()
        atexit.register(self.close)  # a forgotten one says goodbye to its hub, and is gone before the interpreter is
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Safe twice, if never entered, and from a callback. No connection and no thread is left when it returns.

        Two exceptions: a callback that closes is itself still running, and those that do not return within 2 s are left
        to their end. In a fork's child it does nothing: the connection is the parent's.

        >>> with client.subscribe("berlin") as subscription:
        ...     subscription.close()
        ...     print(subscription.view.state)
        State.CLOSED
        """
        if self._check_fork.forked:
            return
        if self._thread is not None:
            atexit.unregister(self.close)
            self._thread.stop(CLOSE_TIMEOUT_S)
        self._inbox.end(None)
        self._end_listeners()

    def ready(self, timeout_s: float = 10.0) -> View[T]:
        """The view, once a snapshot of the present connection is complete.

        Raises Unavailable after ``timeout_s`` seconds, and what has ended the subscription.

        >>> with client.subscribe("berlin") as subscription:
        ...     view = subscription.ready()
        >>> view["berlin", "A-100"].available
        10
        """
        timeout_s = argument.seconds("timeout_s", timeout_s)
        self._check_entered()
        try:
            if self._inbox.wait_ready(timeout_s):
                return self.view
        except Ended as ended:
            raise _why(ended) from None
        raise Unavailable(f"no hub gave a snapshot of {self._location} within {timeout_s} s")

    def listen(self, callback: Callable[[StreamEvent[T, C]], object]) -> Callable[[], None]:
        """Call ``callback`` with events from now on, one at a time, on a thread of its own. Returns how to stop.

        Listen before `with` to miss nothing.

        It may block and may call the client and this subscription: while it is busy, what is new waits for it, of each
        level the newest. One that raises is logged, and called again. After stopping, a call under way still ends.

        >>> subscription = client.subscribe("berlin")
        >>> heard = queue.Queue()
        >>> stop = subscription.listen(heard.put)
        >>> with subscription:
        ...     event = heard.get(timeout=5.0)
        ...     stop()
        >>> type(event).__name__
        'Snapshot'
        """
        argument.function("callback", callback)
        if self._closed:
            raise RuntimeError("the subscription is closed")
        from stockwire.sync.listener import Listener

        return Listener(self._inbox, callback, self._location, self._listeners).stop

    def next_event(self, timeout_s: float | None = None) -> StreamEvent[T, C] | None:
        """The next event, or None when none has come within ``timeout_s`` seconds.

        ``timeout_s`` 0: look and do not wait; None: however long it takes. Raises what the iterator raises, and
        RuntimeError once it is closed.

        >>> with client.subscribe("berlin", ["A-100"]) as subscription:
        ...     event = subscription.next_event(timeout_s=5.0)
        >>> isinstance(event, Snapshot)
        True
        """
        timeout_s = None if timeout_s is None else argument.seconds("timeout_s", timeout_s)
        self._check_entered()
        try:
            return handed(self._inbox.take(self._mailbox, timeout_s))
        except Ended as ended:
            raise _why(ended) from None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> StreamEvent[T, C]:
        """Ctrl-C ends the wait; no event is lost."""
        self._check_entered()
        while True:
            try:
                event = self._inbox.take(self._mailbox, None)
            except Ended as ended:
                if ended.error is None:
                    raise StopIteration from None
                raise ended.error from None
            if event is not None:
                return handed(event)

    async def _follow(self) -> None:
        from stockwire.asyncio.follower import Follower

        async with self._connect() as client:
            follower = Follower(
                self._inbox,
                self._location,
                hubs=client.hubs,
                token=self._token or self._own_key,
                token_changes=self._token is not None,
                connect_timeout_s=self._connect_timeout_s,
                trust=self._trust,
            )
            await follower.run()

    async def _own_key(self) -> str:
        return self._key

    def _end(self, error: BaseException | None) -> None:
        if error is not None:  # who only listens or reads the view learns it from here and from `view.state`
            _log.error("a subscription has ended stream=%s reason=%r", self._location, str(error))
        self._inbox.end(error)

    def _end_listeners(self) -> None:
        listeners = self._listeners.copy()  # they leave it as they end
        deadline = time.monotonic() + CALLBACK_TIMEOUT_S
        for listener in listeners:
            listener.stop()
        for listener in listeners:
            listener.join(max(0.0, deadline - time.monotonic()))

    @property
    def _closed(self) -> bool:
        return self.view.state is State.CLOSED

    def _check_entered(self) -> None:
        if self._thread is None and not self._closed:
            raise RuntimeError("use `with` first")


def _why(ended: Ended) -> BaseException:
    return ended.error or RuntimeError("the subscription is closed")
