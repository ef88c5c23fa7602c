"""`AsyncClient`: every command and read of a ledger, and live subscriptions, from one URL."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from stockwire import argument, call
from stockwire.asyncio.catalogue import AsyncItems, AsyncLocations
from stockwire.asyncio.reservations import AsyncReservations
from stockwire.asyncio.stock import AsyncStock
from stockwire.asyncio.subscription import AsyncSubscription
from stockwire.asyncio.transfers import AsyncTransfers
from stockwire.asyncio.transport import AsyncTransport
from stockwire.availability import Availability
from stockwire.kind import LEVELS, PUBLIC, ViewKind, thresholds
from stockwire.level import Level
from stockwire.operation import Line, Operation, OperationResult, Outcome
from stockwire.retry import RetryPolicy
from stockwire.settings import resolve
from stockwire.stream import AvailabilityChanged, C, ThresholdCrossed
from stockwire.threshold import AtLeast, AtMost, Threshold
from stockwire.watched import T


class AsyncClient:
    """A connection pool to one ledger. Use as ``async with AsyncClient() as client``; safe to share between tasks.

    One client, one event loop: in another (of another asyncio.run, thread or process), and after `close`, calls raise
    RuntimeError.

    ``url`` and ``key`` fall back to STOCKWIRE_URL and STOCKWIRE_API_KEY, then to the run.json of a running
    `stockwire up` (folder STOCKWIRE_DATA, by default ``.stockwire``). ``timeout_s`` bounds one try, ``max_retries`` and
    ``retry_for_s`` all tries of one call. Calls that move stock carry an Idempotency-Key, made once per call and sent
    with every retry of it: a call has one effect at most, and exactly one if it returns. ``hubs``: WebSocket URLs to
    use instead of those that the ledger names. STOCKWIRE_LEDGER_CA_FILE: whom to believe at https and wss addresses.

    Raises ConfigurationError. Every method raises the errors of `stockwire.errors`.

    >>> async with AsyncClient() as till:
    ...     sold = await till.stock.sell("A-100", "berlin")
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
        self._transport = AsyncTransport(settings.url, settings.key, policy, timeout_s, trust)
        self.stock = AsyncStock(self._transport)
        self.items = AsyncItems(self._transport)
        self.locations = AsyncLocations(self._transport)
        self.reservations = AsyncReservations(self._transport)
        self.transfers = AsyncTransfers(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Safe twice, and if never used. Subscriptions are closed by themselves.

        >>> forgotten = AsyncClient()
        >>> await forgotten.close()
        """
        await self._transport.close()

    async def operation(self, lines: Sequence[Line], *, key: str | None = None) -> OperationResult:
        """All lines or none: 1 to 1,000 of them. Lines on the same level are summed into one event.

        Raises OutOfStock or VersionConflict for the first line that cannot be; then nothing has changed.

        >>> basket = [sale("A-100", "berlin", 2), sale("B-200", "berlin")]
        >>> done = await client.operation(basket, key=f"receipt:{receipt_number}")
        >>> [(level.sku, level.available) for level in done.levels]
        [('A-100', 8), ('B-200', 9)]
        >>> (await client.operation(basket, key=f"receipt:{receipt_number}")).replayed
        True
        """
        return await self._transport.call(call.operation(lines, key))

    async def operations(self, batch: Sequence[Operation]) -> list[Outcome]:
        """Many operations in few requests, each on its own: one that is refused hurts no other. For thousands at once.

        In the order given; those at one location are decided in it. Nothing is raised for a single one: look at each
        outcome's ``error``. Raises Invalid or NotFound where one of a request is not valid at all; then nothing of that
        request was booked. Every one may be sent again, under its key it has one effect.

        >>> night = [Operation(f"till-7:{number}", [sale("A-100", "berlin")]) for number in range(12)]
        >>> outcomes = await client.operations(night)
        >>> sum(outcome.error is None for outcome in outcomes), outcomes[-1].error
        (10, OutOfStock('1 of A-100 at berlin requested, 0 available'))
        """
        return [outcome for asked in call.operations(batch) for outcome in await self._transport.call(asked)]

    async def outcomes(self, keys: Sequence[str]) -> list[Outcome]:
        """What became of operations of this client's owner, by their keys: those that were decided, in this order.

        >>> (await client.operation([sale("A-100", "berlin", 2)], key=f"receipt:{receipt_number}")).operation is None
        False
        >>> [outcome.lines[0].quantity for outcome in await client.outcomes([f"receipt:{receipt_number}", "unknown"])]
        [-2]
        """
        return [outcome for asked in call.outcomes(keys) for outcome in await self._transport.call(asked)]

    def levels(self, location: str | None = None) -> AsyncIterator[Level]:
        """Every level of a location (None: of all) that has ever moved, fetched page by page while you iterate.

        Each page is exact when read; stock that moves between two pages is not frozen.

        >>> sum([level.available async for level in client.levels("berlin")])
        20
        """
        return self._transport.listing(call.levels(location))

    async def levels_of(self, keys: Iterable[tuple[str, str]]) -> list[Level]:
        """The levels of these (location, sku), in this order; one that does not exist reads as version 0.

        >>> [level.available for level in await client.levels_of([("berlin", "B-200"), ("berlin", "A-100")])]
        [10, 10]
        """
        return [level for query in call.levels_of(keys) for level in await self._transport.call(query)]

    async def hubs(self) -> list[str]:
        """The WebSocket URLs of the hubs: those given to this client, else as the ledger tells them.

        >>> (await client.hubs())[0].startswith("ws")
        True
        """
        return list(self._hubs) if self._hubs is not None else await self._transport.call(call.hubs())

    def subscribe(
        self,
        location: str,
        skus: Iterable[str] | None = None,
        *,
        token: Callable[[], Awaitable[str]] | None = None,
        connect_timeout_s: float = 10.0,
    ) -> AsyncSubscription:
        """Watch levels as they change. Nothing connects before ``async with``.

        ``skus``: up to 1,000; None: the whole location; ``location`` ``*``: all of them. ``token``: called for a fresh
        token before each connection and before the last one ends; without it the client's own key is used.
        ``connect_timeout_s`` bounds the wait for a connection, and for a token. Raises Invalid.

        >>> async with client.subscribe("berlin", ["A-100"]) as subscription:
        ...     async for event in subscription:
        ...         print(type(event).__name__, subscription.view["berlin", "A-100"].available)
        ...         break
        Snapshot 10
        """
        return self._subscription(LEVELS, location, skus, token, connect_timeout_s)

    def subscribe_public(
        self,
        location: str,
        skus: Iterable[str] | None = None,
        *,
        token: Callable[[], Awaitable[str]] | None = None,
        connect_timeout_s: float = 10.0,
    ) -> AsyncSubscription[Availability, AvailabilityChanged]:
        """Watch what the public sees of levels, as it changes: never exact numbers, and not at each sale.

        Needs the scope ``stock:public:<location>`` only. The parameters are those of `subscribe`. There is nothing to
        resume from: after an interruption it begins with a complete snapshot. Raises Invalid.

        >>> async with client.subscribe_public("berlin", ["A-100"]) as subscription:
        ...     view = await subscription.ready()
        >>> view["berlin", "A-100"].availability, view["berlin", "A-100"].quantity
        ('in_stock', '10+')
        """
        return self._subscription(PUBLIC, location, skus, token, connect_timeout_s)

    def subscribe_threshold(
        self,
        location: str,
        skus: Iterable[str] | None = None,
        *,
        when: AtMost | AtLeast,
        public: bool = False,
        token: Callable[[], Awaitable[str]] | None = None,
        connect_timeout_s: float = 10.0,
    ) -> AsyncSubscription[Threshold, ThresholdCrossed]:
        """Be told when levels cross a threshold, once for each crossing, also for those while the connection was gone.

        ``when``: `AtMost` so many available units ("running low"), or `AtLeast` so many ("back in stock"). ``public``:
        held against the quantity that the public sees, with the scope ``stock:public:<location>``. The other parameters
        are those of `subscribe`. On which side a level stands at first is in the snapshot and no event. Raises Invalid.

        >>> async with client.subscribe_threshold("berlin", ["A-100"], when=AtMost(5, until=8)) as subscription:
        ...     async for event in subscription:
        ...         if isinstance(event, Snapshot):
        ...             sold = await client.stock.sell("A-100", "berlin", 6)
        ...         elif isinstance(event, ThresholdCrossed):
        ...             print(event.threshold.raised, event.threshold.available)
        ...             break
        True 4
        """
        return self._subscription(thresholds(when, public=public), location, skus, token, connect_timeout_s)

    def _subscription(
        self,
        kind: ViewKind[T, C],
        location: str,
        skus: Iterable[str] | None,
        token: Callable[[], Awaitable[str]] | None,
        connect_timeout_s: float,
    ) -> AsyncSubscription[T, C]:
        return AsyncSubscription(
            kind,
            location,
            skus,
            hubs=self.hubs,
            token=token or self._own_key,
            token_changes=token is not None,
            connect_timeout_s=connect_timeout_s,
            trust=self._trust,
        )

    async def _own_key(self) -> str:
        return self._key or ""
