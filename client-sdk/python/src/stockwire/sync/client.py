"""`Client`: blocking, without asyncio: every command and read of a ledger, and live subscriptions, from one URL."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from stockwire import argument, call
from stockwire.level import Level
from stockwire.operation import Line, Operation, OperationResult, Outcome
from stockwire.retry import RetryPolicy
from stockwire.settings import resolve
from stockwire.sync.catalogue import Items, Locations
from stockwire.sync.reservations import Reservations
from stockwire.sync.stock import Stock
from stockwire.sync.transfers import Transfers
from stockwire.sync.transport import Transport

if TYPE_CHECKING:  # whoever asks once need not wait for what streams are made of
    from stockwire.availability import Availability
    from stockwire.kind import ViewKind
    from stockwire.stream import AvailabilityChanged, C, ThresholdCrossed
    from stockwire.sync.subscription import Subscription
    from stockwire.threshold import AtLeast, AtMost, Threshold
    from stockwire.watched import T


class Client:
    """A connection pool to one ledger. Use as ``with Client() as client``; safe to share between threads.

    ``url`` and ``key`` fall back to STOCKWIRE_URL and STOCKWIRE_API_KEY, then to the run.json of a running
    `stockwire up` (folder STOCKWIRE_DATA, by default ``.stockwire``). ``timeout_s`` bounds one try, ``max_retries`` and
    ``retry_for_s`` all tries of one call. Calls that move stock carry an Idempotency-Key, made once per call and sent
    with every retry of it: a call has one effect at most, and exactly one if it returns. ``hubs``: WebSocket URLs to
    use instead of those that the ledger names. STOCKWIRE_LEDGER_CA_FILE: whom to believe at https and wss addresses.

    Methods block until the answer is there, for as long as ``timeout_s`` (plus 5 s to connect) allows a try and the
    retries allow the call. One client serves any number of threads, 100 calls at once. A fork's child makes its own:
    there, and after `close`, calls raise RuntimeError.

    Raises ConfigurationError. Every method raises the errors of `stockwire.errors`.

    >>> with Client() as till:
    ...     sold = till.stock.sell("A-100", "berlin")
    >>> sold.level.available
    9
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        max_retries: int = 5,
        retry_for_s: float = 30.0,
        timeout_s: float = 10.0,
        hubs: Sequence[str] | None = None,
    ) -> None:
        settings = resolve(url, key, os.environ)
        self.url = settings.url
        self._key = settings.key
        self._hubs = None if hubs is None else argument.stream_urls("hubs", hubs)
        self._trust = trust = settings.trust()
        policy = RetryPolicy(max_retries, retry_for_s)
        timeout_s = argument.seconds("timeout_s", timeout_s, argument.TIMEOUT_S_MIN)
        self._transport = Transport(settings.url, settings.key, policy, timeout_s, trust)
        self.stock = Stock(self._transport)
        self.items = Items(self._transport)
        self.locations = Locations(self._transport)
        self.reservations = Reservations(self._transport)
        self.transfers = Transfers(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Safe twice, and if never used. Calls under way in other threads fail. Subscriptions are closed by themselves.

        >>> forgotten = Client()
        >>> forgotten.close()
        """
        self._transport.close()

    def operation(self, lines: Sequence[Line], *, key: str | None = None) -> OperationResult:
        """All lines or none: 1 to 1,000 of them. Lines on the same level are summed into one event.

        Raises OutOfStock or VersionConflict for the first line that cannot be; then nothing has changed.

        >>> basket = [sale("A-100", "berlin", 2), sale("B-200", "berlin")]
        >>> done = client.operation(basket, key=f"receipt:{receipt_number}")
        >>> [(level.sku, level.available) for level in done.levels]
        [('A-100', 8), ('B-200', 9)]
        >>> client.operation(basket, key=f"receipt:{receipt_number}").replayed
        True
        """
        return self._transport.call(call.operation(lines, key))

    def operations(self, batch: Sequence[Operation]) -> list[Outcome]:
        """Many operations in few requests, each on its own: one that is refused hurts no other. For thousands at once.

        In the order given; those at one location are decided in it. Nothing is raised for a single one: look at each
        outcome's ``error``. Raises Invalid or NotFound where one of a request is not valid at all; then nothing of that
        request was booked. Every one may be sent again, under its key it has one effect.

        >>> night = [Operation(f"till-7:{number}", [sale("A-100", "berlin")]) for number in range(12)]
        >>> outcomes = client.operations(night)
        >>> sum(outcome.error is None for outcome in outcomes), outcomes[-1].error
        (10, OutOfStock('1 of A-100 at berlin requested, 0 available'))
        """
        return [outcome for asked in call.operations(batch) for outcome in self._transport.call(asked)]

    def outcomes(self, keys: Sequence[str]) -> list[Outcome]:
        """What became of operations of this client's owner, by their keys: those that were decided, in this order.

        >>> client.operation([sale("A-100", "berlin", 2)], key=f"receipt:{receipt_number}").operation is None
        False
        >>> [outcome.lines[0].quantity for outcome in client.outcomes([f"receipt:{receipt_number}", "unknown"])]
        [-2]
        """
        return [outcome for asked in call.outcomes(keys) for outcome in self._transport.call(asked)]

    def levels(self, location: str | None = None) -> Iterator[Level]:
        """Every level of a location (None: of all) that has ever moved, fetched page by page while you iterate.

        Each page is exact when read; stock that moves between two pages is not frozen.

        >>> sum([level.available for level in client.levels("berlin")])
        20
        """
        return self._transport.listing(call.levels(location))

    def levels_of(self, keys: Iterable[tuple[str, str]]) -> list[Level]:
        """The levels of these (location, sku), in this order; one that does not exist reads as version 0.

        >>> [level.available for level in client.levels_of([("berlin", "B-200"), ("berlin", "A-100")])]
        [10, 10]
        """
        return [level for query in call.levels_of(keys) for level in self._transport.call(query)]

    def hubs(self) -> list[str]:
        """The WebSocket URLs of the hubs: those given to this client, else as the ledger tells them.

        >>> client.hubs()[0].startswith("ws")
        True
        """
        return list(self._hubs) if self._hubs is not None else self._transport.call(call.hubs())

    def subscribe(
        self,
        location: str,
        skus: Iterable[str] | None = None,
        *,
        token: Callable[[], str] | None = None,
        connect_timeout_s: float = 10.0,
    ) -> "Subscription":
        """Watch levels as they change. Nothing connects before ``with``.

        ``skus``: up to 1,000; None: the whole location; ``location`` ``*``: all of them. ``token``: called for a fresh
        token before each connection and before the last one ends, on a thread of its own; without it the client's own
        key is used. ``connect_timeout_s`` bounds the wait for a connection, and for a token. Raises Invalid.

        >>> with client.subscribe("berlin", ["A-100"]) as subscription:
        ...     for event in subscription:
        ...         print(type(event).__name__, subscription.view["berlin", "A-100"].available)
        ...         break
        Snapshot 10
        """
        from stockwire.kind import LEVELS

        return self._subscription(LEVELS, location, skus, token, connect_timeout_s)

    def subscribe_public(
        self,
        location: str,
        skus: Iterable[str] | None = None,
        *,
        token: Callable[[], str] | None = None,
        connect_timeout_s: float = 10.0,
    ) -> "Subscription[Availability, AvailabilityChanged]":
        """Watch what the public sees of levels, as it changes: never exact numbers, and not at each sale.

        Needs the scope ``stock:public:<location>`` only. The parameters are those of `subscribe`. There is nothing to
        resume from: after an interruption it begins with a complete snapshot. Raises Invalid.

        >>> with client.subscribe_public("berlin", ["A-100"]) as subscription:
        ...     view = subscription.ready()
        >>> view["berlin", "A-100"].availability, view["berlin", "A-100"].quantity
        ('in_stock', '10+')
        """
        from stockwire.kind import PUBLIC

        return self._subscription(PUBLIC, location, skus, token, connect_timeout_s)

    def subscribe_threshold(
        self,
        location: str,
        skus: Iterable[str] | None = None,
        *,
        when: "AtMost | AtLeast",
        public: bool = False,
        token: Callable[[], str] | None = None,
        connect_timeout_s: float = 10.0,
    ) -> "Subscription[Threshold, ThresholdCrossed]":
        """Be told when levels cross a threshold, once for each crossing, also for those while the connection was gone.

        ``when``: `AtMost` so many available units ("running low"), or `AtLeast` so many ("back in stock"). ``public``:
        held against the quantity that the public sees, with the scope ``stock:public:<location>``. The other parameters
        are those of `subscribe`. On which side a level stands at first is in the snapshot and no event. Raises Invalid.

        >>> with client.subscribe_threshold("berlin", ["A-100"], when=AtMost(5, until=8)) as subscription:
        ...     for event in subscription:
        ...         if isinstance(event, Snapshot):
        ...             sold = client.stock.sell("A-100", "berlin", 6)
        ...         elif isinstance(event, ThresholdCrossed):
        ...             print(event.threshold.raised, event.threshold.available)
        ...             break
        True 4
        """
        from stockwire.kind import thresholds

        return self._subscription(thresholds(when, public=public), location, skus, token, connect_timeout_s)

    def _subscription(
        self,
        kind: "ViewKind[T, C]",
        location: str,
        skus: Iterable[str] | None,
        token: Callable[[], str] | None,
        connect_timeout_s: float,
    ) -> "Subscription[T, C]":
        from stockwire.asyncio.client import AsyncClient  # with asyncio and WebSockets: only streams need them
        from stockwire.sync.subscription import Subscription

        return Subscription(
            kind,
            location,
            skus,
            connect=lambda: AsyncClient(self.url, self._key, hubs=self._hubs),
            key=self._key or "",
            token=token,
            connect_timeout_s=connect_timeout_s,
            trust=self._trust,
        )
