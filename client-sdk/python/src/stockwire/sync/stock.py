"""Stock of single skus, read and moved: the blocking one."""

from collections.abc import Iterator
from typing import Unpack

from stockwire import call
from stockwire import operation as movement
from stockwire.level import Level
from stockwire.operation import Details, Event, Line, OperationResult
from stockwire.sync.transport import Transport


class Stock:
    """Stock of single skus. ``units`` are positive whole numbers; the method's name says which way they go.

    Each method that moves stock is one atomic operation with an Idempotency-Key: one effect at most, exactly one if it
    returns, and it returns only what is committed and on disk. It takes the details ``reference`` (order or receipt
    number), ``reason``, ``occurred_at`` (a datetime with tzinfo) and ``if_version`` (refuse with VersionConflict unless
    the level stands there), and a ``key`` to use instead of a new one.

    All raise NotFound for an unknown sku or location, Forbidden, Invalid, and Later once the retries are used up.

    >>> client.stock.sell("A-100", "berlin", 2, reference="order-4711").level.available
    8
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, sku: str, location: str) -> Level:
        """The level in the ledger, exact at the time of reading: version 0 if nothing was ever booked.

        >>> client.stock.get("A-100", "berlin").available
        10
        """
        return self._transport.call(call.level(sku, location))

    def sell(
        self, sku: str, location: str, units: int = 1, *, key: str | None = None, **details: Unpack[Details]
    ) -> OperationResult:
        """``units`` leave the location. Raises OutOfStock if fewer are available; then nothing has changed.

        >>> try:
        ...     client.stock.sell("A-100", "berlin", 11)
        ... except OutOfStock as error:
        ...     print(error.requested, "wanted,", error.available, "there")
        11 wanted, 10 there
        """
        return self._move(movement.sale(sku, location, units, **details), key)

    def receive(
        self, sku: str, location: str, units: int, *, key: str | None = None, **details: Unpack[Details]
    ) -> OperationResult:
        """``units`` arrive at the location, such as a delivery.

        >>> client.stock.receive("A-100", "berlin", 5, reference="delivery-9").level.on_hand
        15
        """
        return self._move(movement.receipt(sku, location, units, **details), key)

    def return_(
        self, sku: str, location: str, units: int = 1, *, key: str | None = None, **details: Unpack[Details]
    ) -> OperationResult:
        """``units`` come back from a customer and can be sold again.

        >>> client.stock.return_("A-100", "berlin").level.on_hand
        11
        """
        return self._move(movement.returned(sku, location, units, **details), key)

    def write_off(
        self, sku: str, location: str, units: int, *, key: str | None = None, **details: Unpack[Details]
    ) -> OperationResult:
        """``units`` are broken, lost or stolen. Raises OutOfStock if fewer are available.

        >>> client.stock.write_off("A-100", "berlin", 1, reason="broken").level.on_hand
        9
        """
        return self._move(movement.write_off(sku, location, units, **details), key)

    def adjust(
        self, sku: str, location: str, difference: int, *, key: str | None = None, **details: Unpack[Details]
    ) -> OperationResult:
        """On hand was wrong by ``difference`` units, in either direction, not 0. Raises OutOfStock.

        >>> client.stock.adjust("A-100", "berlin", -2).level.on_hand
        8
        """
        return self._move(movement.adjustment(sku, location, difference, **details), key)

    def count(
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

        >>> level = client.stock.get("A-100", "berlin")
        >>> client.stock.count("A-100", "berlin", 12, if_version=level.version).level.on_hand
        12
        """
        counted = call.count(sku, location, on_hand, if_version, key, reference, reason)
        return self._transport.call(counted)

    def history(self, sku: str, location: str, *, after_version: int = 0) -> Iterator[Event]:
        """The events of the level behind ``after_version``, oldest first: the audit trail, fetched page by page.

        >>> [event.version for event in client.stock.history("A-100", "berlin")][:1]
        [1]
        """
        return self._transport.listing(call.history(sku, location, after_version))

    def _move(self, line: Line, key: str | None) -> OperationResult:
        return self._transport.call(call.operation([line], key))
