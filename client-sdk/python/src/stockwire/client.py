"""`AsyncClient`: every command and read of a ledger, and live subscriptions, from one URL."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, Unpack

from stockwire import operation as movement
from stockwire import request
from stockwire.catalogue import Items, Locations
from stockwire.errors import UnexpectedAnswer
from stockwire.level import Level, Malformed
from stockwire.operation import Details, Event, Line, OperationResult
from stockwire.paging import pages, parse_list, parsed
from stockwire.retry import RetryPolicy
from stockwire.settings import resolve
from stockwire.subscription import Subscription
from stockwire.transport import AsyncTransport


class AsyncClient:
    """A connection pool to one ledger. Use as ``async with AsyncClient() as client``; safe to share between tasks.

    ``url`` and ``key`` fall back to STOCKWIRE_URL and STOCKWIRE_API_KEY, then to the run.json of a running
    `stockwire up` (folder STOCKWIRE_DATA, by default ``.stockwire``). ``timeout_s`` bounds one try, ``max_retries`` and
    ``retry_for_s`` all tries of one call. Calls that move stock carry an Idempotency-Key, made once per call and sent
    with every retry of it: a call has one effect at most, and exactly one if it returns. ``hubs``: WebSocket URLs to
    use instead of those that the ledger names.

    Raises ConfigurationError. Every method raises the errors of `stockwire.errors`.
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
        self._hubs = hubs
        policy = RetryPolicy(max_retries, retry_for_s)
        self._transport = AsyncTransport(settings.url, settings.key, policy, timeout_s)
        self.stock = Stock(self._transport)
        self.items = Items(self._transport)
        self.locations = Locations(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Safe twice, and if never used."""
        await self._transport.close()

    async def operation(self, lines: Sequence[Line], *, key: str | None = None) -> OperationResult:
        """All lines or none. Lines on the same level are summed into one event.

        Raises OutOfStock or VersionConflict for the first line that cannot be; then nothing has changed.
        """
        return await _operate(self._transport, request.operation(lines, key))

    def levels(self, location: str | None = None) -> AsyncIterator[Level]:
        """Every level of a location (None: of all) that has ever moved, fetched page by page while you iterate.

        Each page is exact when read; stock that moves between two pages is not frozen.
        """
        return pages(self._transport, lambda after: request.levels(location, after), "levels", Level.parse)

    async def levels_of(self, keys: Iterable[tuple[str, str]]) -> list[Level]:
        """The levels of these (location, sku), in this order; one that does not exist reads as version 0."""
        found: list[Level] = []
        for query in request.levels_of(list(keys)):
            document, answer = await self._transport.call(query)
            found += parse_list(document, "levels", Level.parse, answer)
        return found

    async def hubs(self) -> list[str]:
        """The WebSocket URLs of the hubs: those given to this client, else as the ledger tells them."""
        if self._hubs is not None:
            return list(self._hubs)
        document, answer = await self._transport.call(request.discovery())
        return parse_list(document, "hubs", _stream_url, answer)

    def subscribe(
        self,
        location: str,
        skus: Iterable[str] | None = None,
        *,
        token: Callable[[], Awaitable[str]] | None = None,
        connect_timeout_s: float = 10.0,
    ) -> Subscription:
        """Watch levels as they change: ``async with client.subscribe("berlin", ["A"]) as sub: async for event in sub``.

        ``skus`` None: the whole location; ``location`` ``*``: all of them. ``token``: called for a fresh token before
        each connection and before the last one ends; without it the client's own key is used.
        Nothing connects before ``async with``. See `Subscription` for what is guaranteed.
        """
        return Subscription(
            location,
            None if skus is None else list(skus),
            hubs=self.hubs,
            token=token or self._own_key,
            token_changes=token is not None,
            connect_timeout_s=connect_timeout_s,
        )

    async def _own_key(self) -> str:
        return self._key or ""


class Stock:
    """Stock of single skus. ``units`` are positive; the name of the method says which way they go.

    The moving methods take the details ``reference``, ``reason``, ``occurred_at`` and ``if_version``, and a ``key`` to
    use instead of a new one.
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get(self, sku: str, location: str) -> Level:
        """The level in the ledger, exact at the time of reading. Raises NotFound for an unknown sku or location."""
        document, answer = await self._transport.call(request.level(sku, location))
        return parsed(document, Level.parse, answer)

    async def sell(
        self, sku: str, location: str, units: int = 1, *, key: str | None = None, **details: Unpack[Details]
    ) -> OperationResult:
        """Raises OutOfStock if fewer than ``units`` are available."""
        return await self._move(movement.sale(sku, location, units, **details), key)

    async def receive(
        self, sku: str, location: str, units: int, *, key: str | None = None, **details: Unpack[Details]
    ) -> OperationResult:
        return await self._move(movement.receipt(sku, location, units, **details), key)

    async def return_(
        self, sku: str, location: str, units: int = 1, *, key: str | None = None, **details: Unpack[Details]
    ) -> OperationResult:
        """Units that come back from a customer."""
        return await self._move(movement.returned(sku, location, units, **details), key)

    async def write_off(
        self, sku: str, location: str, units: int, *, key: str | None = None, **details: Unpack[Details]
    ) -> OperationResult:
        """Raises OutOfStock if fewer than ``units`` are available."""
        return await self._move(movement.write_off(sku, location, units, **details), key)

    async def adjust(
        self, sku: str, location: str, difference: int, *, key: str | None = None, **details: Unpack[Details]
    ) -> OperationResult:
        """``difference`` in units, in either direction, not 0. Raises OutOfStock."""
        return await self._move(movement.adjustment(sku, location, difference, **details), key)

    async def count(
        self,
        sku: str,
        location: str,
        on_hand: int,
        *,
        if_version: int | None,
        key: str | None = None,
        reference: str | None = None,
        reason: str | None = None,
    ) -> OperationResult:
        """Somebody counted ``on_hand`` units on the shelf.

        ``if_version``: the version that was counted against, so that a sale in between is not counted away; None says
        in so many words that it does not matter. Raises VersionConflict, BelowReserved.
        """
        return await _operate(
            self._transport, request.count(sku, location, on_hand, if_version, key, reference, reason)
        )

    def history(self, sku: str, location: str, *, after_version: int = 0) -> AsyncIterator[Event]:
        """The events of the level behind ``after_version``, oldest first: the audit trail, fetched page by page."""
        return pages(
            self._transport,
            lambda after: request.history(sku, location, after),
            "events",
            Event.parse,
            str(after_version),
        )

    async def _move(self, line: Line, key: str | None) -> OperationResult:
        return await _operate(self._transport, request.operation([line], key))


async def _operate(transport: AsyncTransport, asked: request.Request) -> OperationResult:
    document, answer = await transport.call(asked)
    try:
        return OperationResult.parse(document, key=asked.key or "", replayed=answer.replayed)
    except Malformed as error:
        unreadable = UnexpectedAnswer(f"the answer cannot be read: {error}", answer.status)
        unreadable.key = asked.key  # it was written: the caller can ask again for the same answer
        raise unreadable from error


def _stream_url(hub: Any) -> str:
    if not isinstance(hub, dict) or not isinstance(hub.get("stream"), str):
        raise Malformed("a hub without a stream URL")
    return str(hub["stream"])
