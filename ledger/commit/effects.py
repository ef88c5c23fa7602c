"""What each kind of line does to a level: one table. Pure: no SQL, no clock, no socket.

A new kind is a row of the table. What is the same for all kinds stands in ``ledger.commit.decide``: the expected
version, how much fits, and how versions are counted.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from ledger.commit.line import COMMIT, COUNT, FULFIL, HOLD, LOST, RELEASE, SIGNS, TRANSFER, TRANSIT, Line
from ledger.commit.stock import Stock
from ledger.errors import BelowReserved, InsufficientStock


class Units(Struct, frozen=True, gc=False):
    """What a level holds after an effect."""

    on_hand: int
    reserved: int


Effect = Callable[[Stock, Sequence[Line]], Units]
"""``lines``: all that one operation has on the level, at least one, each of a kind with this effect. Raises Refusal."""


def move(stock: Stock, lines: Sequence[Line]) -> Units:
    """Adds and takes away; what is reserved is not taken. Several kinds add up. Raises InsufficientStock."""
    delta = lines[0].quantity if len(lines) == 1 else sum(line.quantity for line in lines)
    on_hand = stock.on_hand + delta
    if delta < 0 and on_hand < stock.reserved:
        raise InsufficientStock(lines[0].sku, lines[0].location, stock.available, -delta)
    return Units(on_hand, stock.reserved)


def count(stock: Stock, lines: Sequence[Line]) -> Units:
    """States what is on the shelf: no fewer than are reserved. Raises BelowReserved."""
    on_hand = lines[0].quantity
    if on_hand < stock.reserved:
        raise BelowReserved(lines[0].sku, lines[0].location, on_hand, stock.reserved)
    return Units(on_hand, stock.reserved)


def hold(stock: Stock, lines: Sequence[Line]) -> Units:
    """Reserves what is available. Raises InsufficientStock."""
    return _reserve(stock, lines[0], lines[0].quantity)


def release(stock: Stock, lines: Sequence[Line]) -> Units:
    """Lets go of reserved units: they are available again."""
    return Units(stock.on_hand, stock.reserved - lines[0].quantity)


def commit(stock: Stock, lines: Sequence[Line]) -> Units:
    """The units were paid for, and stay reserved; those that had expired are again. Raises InsufficientStock."""
    return _reserve(stock, lines[0], lines[0].again)


def fulfil(stock: Stock, lines: Sequence[Line]) -> Units:
    """Reserved units leave; those that had expired are taken from what is available. Raises InsufficientStock."""
    line = lines[0]
    reserved = _reserve(stock, line, line.again).reserved
    return Units(stock.on_hand - line.quantity, reserved - line.quantity)


def transit(stock: Stock, lines: Sequence[Line]) -> Units:
    """Units on their way come to the level or leave it: nobody else can have them, so all of them are reserved."""
    units = sum(line.quantity for line in lines)
    return Units(stock.on_hand + units, stock.reserved + units)


def _reserve(stock: Stock, line: Line, units: int) -> Units:
    if units > stock.available:
        raise InsufficientStock(line.sku, line.location, stock.available, units)
    return Units(stock.on_hand, stock.reserved + units)


EFFECTS: dict[str, Effect] = {
    **dict.fromkeys(SIGNS, move),
    COUNT: count,
    HOLD: hold,
    RELEASE: release,
    COMMIT: commit,
    FULFIL: fulfil,
    TRANSFER: move,
    TRANSIT: transit,
    LOST: transit,
}
"""By the kind of the first line: an operation has lines of one effect on a level, or it is refused where it is read."""
