"""Units held until they are paid for: the blocking one."""

from collections.abc import Iterator, Sequence

from stockwire import reservation_call as call
from stockwire.reservation import Reservation, Wanted
from stockwire.sync.transport import Transport


class Reservations:
    """Hold units for a basket, then take the money: what is held is ``reserved`` at its level, and no more available.

    ``pending -> committed -> fulfilled``: held until ``expires_at``, paid for, gone. What is pending or committed can
    be cancelled; what is pending expires by itself, by the database's clock.

    Each method that changes one is one atomic operation with an Idempotency-Key, made once per call and sent with every
    retry: one effect at most, exactly one if it returns. ``key`` is used instead of a new one: the same call with it
    gives the same answer, also from another process and after days. Where ``lines`` may be given, None means all of
    it, and ``held("A-100", "berlin", None)`` all units of that line.

    All raise NotFound, Forbidden, Invalid, and Later once the retries are used up.

    >>> basket = client.reservations.reserve([held("A-100", "berlin", 2)], ttl_s=600, reference="order-4711")
    >>> client.stock.get("A-100", "berlin").available
    8
    >>> client.reservations.commit(basket.id, fulfil=True).state
    'fulfilled'
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def reserve(
        self,
        lines: Sequence[Wanted],
        *,
        ttl_s: int | None = None,
        customer: str | None = None,
        reference: str | None = None,
        key: str | None = None,
    ) -> Reservation:
        """Hold all lines or none: 1 to 1,000 of them, made with `held` or `held_from`, no level in two of them.

        ``ttl_s``: whole seconds until they are let go of; None: as long as the ledger says, 15 minutes by default.
        ``customer``: an opaque label of who they are for, by which the ledger may limit. Raises OutOfStock for the
        first line that cannot be, and HoldLimit; then nothing is held.

        >>> basket = [held("A-100", "berlin", 2), held_from("B-200", ["berlin", "hamburg"])]
        >>> made = client.reservations.reserve(basket, customer="c-17", key=f"basket:{receipt_number}")
        >>> made.state, [(line.sku, line.location, line.pending) for line in made.lines]
        ('pending', [('A-100', 'berlin', 2), ('B-200', 'berlin', 1)])
        """
        return self._transport.call(call.reserve(lines, ttl_s, customer, reference, key))

    def get(self, id: str) -> Reservation:
        """How it stands now.

        >>> made = client.reservations.reserve([held("A-100", "berlin")])
        >>> client.reservations.get(made.id) == made
        True
        """
        return self._transport.call(call.one(id))

    def commit(
        self,
        id: str,
        lines: Sequence[Wanted] | None = None,
        *,
        fulfil: bool = False,
        key: str | None = None,
    ) -> Reservation:
        """It was paid for: the units stay reserved, without an end; ``fulfil``: they leave at once.

        What had expired is taken again if it is there; if not, ReservationExpired says what is left. Raises
        ReservationState for what was cancelled. Safe to repeat, also under another key.

        >>> made = client.reservations.reserve([held("A-100", "berlin", 2)])
        >>> paid = client.reservations.commit(made.id)
        >>> paid.state, paid.expires_at
        ('committed', None)
        """
        return self._transport.call(call.commit(id, lines, fulfil, key))

    def fulfil(
        self,
        id: str,
        lines: Sequence[Wanted] | None = None,
        *,
        key: str | None = None,
    ) -> Reservation:
        """The goods leave: on hand and reserved fall. Raises ReservationState for units that were not committed.

        >>> made = client.reservations.reserve([held("A-100", "berlin", 2)])
        >>> paid = client.reservations.commit(made.id)
        >>> left = client.reservations.fulfil(made.id, [held("A-100", "berlin", 1)])
        >>> left.state, left.lines[0].committed, left.lines[0].fulfilled
        ('committed', 1, 1)
        """
        return self._transport.call(call.fulfil(id, lines, key))

    def cancel(
        self,
        id: str,
        lines: Sequence[Wanted] | None = None,
        *,
        key: str | None = None,
    ) -> Reservation:
        """Let go of pending and committed units, the pending first. Raises ReservationState for what has left.

        >>> made = client.reservations.reserve([held("A-100", "berlin", 2)])
        >>> client.reservations.cancel(made.id).state
        'cancelled'
        """
        return self._transport.call(call.cancel(id, lines, key))

    def extend(self, id: str, ttl_s: int, *, key: str | None = None) -> Reservation:
        """Keep the pending units for ``ttl_s`` seconds from now.

        Raises ReservationState, ReservationExpired, and HoldLimit if an item may not be held for so long.

        >>> made = client.reservations.reserve([held("A-100", "berlin")], ttl_s=60)
        >>> longer = client.reservations.extend(made.id, 900)
        >>> longer.expires_at > made.expires_at
        True
        """
        return self._transport.call(call.extend(id, ttl_s, key))

    def change(
        self,
        id: str,
        lines: Sequence[Wanted],
        *,
        ttl_s: int | None = None,
        key: str | None = None,
    ) -> Reservation:
        """Change how many units are pending, as one step: a basket that is edited never loses what it holds.

        Lines that are not named stay as they are, 0 lets go of one, a new one is added. ``ttl_s`` counts from now; None
        leaves its time as it is. Raises OutOfStock, ReservationState, ReservationExpired, HoldLimit; then nothing has
        changed.

        >>> made = client.reservations.reserve([held("A-100", "berlin", 2)])
        >>> edited = client.reservations.change(made.id, [held("A-100", "berlin", 1), held("B-200", "berlin", 3)])
        >>> [(line.sku, line.pending) for line in edited.lines]
        [('A-100', 1), ('B-200', 3)]
        """
        return self._transport.call(call.change(id, lines, ttl_s, key))

    def list(
        self,
        *,
        location: str | None = None,
        sku: str | None = None,
        state: str | None = None,
        owner: str | None = None,
        customer: str | None = None,
        reference: str | None = None,
        older_than_s: float | None = None,
    ) -> Iterator[Reservation]:
        """Those of which every location may be read, the oldest first, fetched page by page while you iterate.

        With ``sku``, which needs a ``location``, those that hold units of that level now. ``state`` ``open``: pending
        or committed.

        >>> made = client.reservations.reserve([held("A-100", "berlin")], reference=f"order-{receipt_number}")
        >>> [one.id for one in client.reservations.list(reference=f"order-{receipt_number}")] == [made.id]
        True
        """
        asked = call.Asked(location, sku, state, owner, customer, reference, older_than_s)
        return self._transport.listing(call.reservations(asked))
