"""Which of two words about one order is the newer one. Pure.

Notices come doubled, late and in any order; what counts is when the channel changed the order, by its own clock.
"""

from collections import Counter
from typing import Literal

from followers.marketplaces.terms import REMOTE_CHARACTERS_MAX, UNITS_MAX, Order

ID_CHARACTERS_MAX = 100
LINES_MAX = 1_000
"""Of one order: of one operation of the ledger."""
YEARS = range(2000, 9999)
"""Of all times that are stored: those at the ends of the calendar overflow."""
Verdict = Literal["newer", "known", "unclear"]


def judge(known: Order | None, told: Order, *, fetched: bool) -> Verdict:
    """``newer``: it takes the place of what is known. ``known``: nothing changes. ``unclear``: both are of the same
    moment and say different things; who fetches the order knows.

    ``fetched``: we have asked for it and this is the answer, so of the same moment it is the one that counts.
    """
    if known is None or told.updated_at > known.updated_at:
        return "newer"
    if told.updated_at < known.updated_at or _says(told) == _says(known):
        return "known"
    return "newer" if fetched else "unclear"


def moved(known: Order | None, told: Order) -> set[str]:
    """Listings of which it takes more or less than was known: what stands there has changed by that."""
    before, after = (_taken(order) for order in (known, told))
    return {remote for remote in {*before, *after} if before[remote] != after[remote]}


def sound(order: Order) -> bool:
    """Whether it can be kept and booked: what an adapter must never give, whatever the channel says."""
    texts = (order.id, *(line.remote for line in order.lines))
    return (
        all(isinstance(text, str) and "\0" not in text for text in (*texts, order.number))
        and 0 < len(order.id) <= ID_CHARACTERS_MAX
        and all(0 < len(text) <= REMOTE_CHARACTERS_MAX for text in texts)
        and len(order.lines) <= LINES_MAX
        and all(isinstance(line.quantity, int) and 0 < line.quantity <= UNITS_MAX for line in order.lines)
        and all(at.tzinfo is not None and at.year in YEARS for at in (order.placed_at, order.updated_at))
    )


def _says(order: Order) -> tuple[str, Counter[str]]:
    units: Counter[str] = Counter()
    for line in order.lines:
        units[line.remote] += line.quantity
    return order.state, units


def _taken(order: Order | None) -> Counter[str]:
    return Counter() if order is None or order.state == "cancelled" else _says(order)[1]
