"""Opening stock, and which invoices must wait for which: what the shelf holds decides both. Pure.

**Opening stock** is what was on hand of a sku before it moved for the first time, so only skus that have never moved at
the location can have any. *Needed* is, for each of them, the largest amount by which the invoices that will be booked,
in their order, would take it below zero: no unit more, and nothing for an invoice that is refused. An invoice that is
held back will be booked after them: what it takes of a sku that they move is needed as well, since a sku that has moved
gets no opening stock any more.

**Order.** Many invoices are in one request, and several requests in flight. Where the shelf holds everything that ever
goes out of a sku, order does not matter. For the others it does: such invoices never share a request, and a request
waits for the ones before it that move such a sku. So the outcome is that of one after the other, refusals included,
whatever breaks meanwhile.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stockwire.importing.plan import Booking
from stockwire.operation import QUANTITY_MAX, Line

CHUNK_LINES_MAX = 500
"""Of one request: half of what a ledger commits as one batch, so that others have their turn."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bookings of one request. ``after``: indices of the chunks that must be done first, all before its own."""

    bookings: tuple[Booking, ...]
    after: tuple[int, ...]


def needed(operations: Iterable[Sequence[Line]], available: Mapping[str, int] | None = None) -> dict[str, int]:
    """For each sku that is not in ``available`` the least stock with which no operation takes it below zero. In units.

    ``available``: of the skus that have moved. An operation that is short of one of those will be refused, and needs
    nothing; so does one that would need more than a level can hold.
    """
    balance = dict(available or {})
    moved = frozenset(balance)
    need: dict[str, int] = {}
    for lines in operations:
        after: dict[str, int] = {}
        for line in lines:
            after[line.sku] = after.get(line.sku, balance.get(line.sku, 0)) + line.quantity
        least = {sku: 0 if sku in moved else -QUANTITY_MAX for sku in after}
        if any(units < least[sku] and units < balance.get(sku, 0) for sku, units in after.items()):
            continue
        balance.update(after)
        for sku, units in after.items():
            if sku not in moved:
                need[sku] = max(need.get(sku, 0), -units)
    return need


def needed_at_first(
    bookings: Sequence[Booking], held: Iterable[Sequence[Line]], available: Mapping[str, int]
) -> dict[str, int]:
    """What `needed` says of ``bookings``, and of those ``held`` back so much that they can be booked later."""
    moving = {line.sku for booking in bookings for line in booking.lines}
    later = [[line for line in lines if line.quantity < 0] for lines in held]  # no return of theirs can be relied on
    need = needed([*(booking.lines for booking in bookings), *later], available)
    return {sku: units for sku, units in need.items() if sku in moving}


def chunks(bookings: Sequence[Booking], on_shelf: Mapping[str, int]) -> list[Chunk]:
    """``on_shelf``: available units by sku when booking begins, opening stock included."""
    ordered = _short(bookings, on_shelf)
    found: list[Chunk] = []
    last: dict[str, int] = {}
    current: list[Booking] = []
    lines, held, after = 0, set[str](), set[int]()
    for booking in bookings:
        own = ordered.intersection(line.sku for line in booking.lines)
        if current and (lines + len(booking.lines) > CHUNK_LINES_MAX or not own.isdisjoint(held)):
            last.update(dict.fromkeys(held, len(found)))
            found.append(Chunk(tuple(current), tuple(sorted(after))))
            current, lines, held, after = [], 0, set[str](), set[int]()
        current.append(booking)
        lines += len(booking.lines)
        held |= own
        after |= {last[sku] for sku in own if sku in last}
    if current:
        found.append(Chunk(tuple(current), tuple(sorted(after))))
    return found


def _short(bookings: Sequence[Booking], on_shelf: Mapping[str, int]) -> frozenset[str]:
    """Skus of which more goes out than the shelf holds."""
    outgoing: dict[str, int] = {}
    for booking in bookings:
        for line in booking.lines:
            if line.quantity < 0:
                outgoing[line.sku] = outgoing.get(line.sku, 0) - line.quantity
    return frozenset(sku for sku, units in outgoing.items() if units > on_shelf.get(sku, 0))
