"""Limits against hoarding: what would be held beyond them is refused, by name and with numbers. Pure.

They are about what would be held from now on: what is held already stays, also beyond a limit that was set later. Who
has paid is not refused by any of them.
"""

from collections.abc import Iterable, Mapping

from ledger.commit.held import Bounds
from ledger.commit.stock import LevelKey, Stock
from ledger.errors import ReservationLimit


def check_time(bounds: Bounds | None, skus: Iterable[str], ttl_s: int) -> None:
    """Raises ReservationLimit if units of an item would be kept for longer than it allows."""
    if bounds is None:
        return
    for sku in dict.fromkeys(skus):
        allowed = bounds.of_item(sku).ttl_s
        if allowed is not None and ttl_s > allowed:
            raise ReservationLimit("ttl_s", allowed, 0, ttl_s, sku=sku)


def longest(bounds: Bounds | None, skus: Iterable[str], ttl_s: int) -> int:
    """``ttl_s``, or less where an item allows no more: for who does not say how long."""
    if bounds is None:
        return ttl_s
    return min([ttl_s, *(allowed for sku in skus if (allowed := bounds.of_item(sku).ttl_s) is not None)])


def check_holder(bounds: Bounds | None, more: Mapping[str, int], *, new: bool) -> None:
    """``more``: units by sku that would be held beside those that are. ``new``: in a hold of their own. A hold
    that names no customer is one by itself.

    Raises ReservationLimit.
    """
    if bounds is None:
        return
    customer = bounds.holder.customer
    for sku, units in more.items():
        allowed = bounds.of_item(sku).customer_units
        if allowed is not None:
            _check("customer_units", allowed, bounds.customer.of_sku.get(sku, 0), units, sku=sku, customer=customer)
    limits, units, holds = bounds.limits, sum(more.values()), int(new)
    _check("customer_units", limits.customer_units, bounds.customer.units, units, customer=customer)
    _check("customer_reservations", limits.customer_reservations, bounds.customer.holds, holds, customer=customer)
    _check("owner_units", limits.owner_units, bounds.owner.units, units, owner=bounds.holder.owner)
    _check("owner_reservations", limits.owner_reservations, bounds.owner.holds, holds, owner=bounds.holder.owner)


def _check(limit: str, allowed: int, held: int, requested: int, **whose: str | None) -> None:
    if allowed and requested > 0 and held + requested > allowed:
        raise ReservationLimit(limit, allowed, held, requested, **whose)


def holdable(bounds: Bounds | None, key: LevelKey, stock: Stock) -> int:
    """Units of a level that may be held beside those that are; never more than are available."""
    allowed = _allowed(bounds, key, stock)
    return stock.available if allowed is None else max(0, min(stock.available, allowed - stock.reserved))


def check_share(bounds: Bounds | None, key: LevelKey, stock: Stock, requested: int) -> None:
    """Raises ReservationLimit. What is not available at all is not its business."""
    allowed = _allowed(bounds, key, stock)
    if allowed is not None and requested > 0 and stock.reserved + requested > allowed and requested <= stock.available:
        raise ReservationLimit("share_percent", allowed, stock.reserved, requested, sku=key.sku, location=key.location)


def _allowed(bounds: Bounds | None, key: LevelKey, stock: Stock) -> int | None:
    """Rounded up: the last unit can be held."""
    if bounds is None:
        return None
    percent = bounds.of_item(key.sku).share_percent or bounds.limits.share_percent
    return -(-stock.on_hand * percent // 100) if percent else None


def by_sku(units: Iterable[tuple[LevelKey, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, quantity in units:
        found[key.sku] = found.get(key.sku, 0) + quantity
    return found
