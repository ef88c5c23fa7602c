"""What listings shall offer by the ledger as it is now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from followers.log.ledger import Ledger
from followers.marketplaces.channels import Channel
from followers.marketplaces.targets import target_of
from followers.marketplaces.terms import UNITS_MAX


class Mapped(Protocol):
    """A listing and what it sells. ``location``: None: all of the channel's."""

    @property
    def remote(self) -> str: ...
    @property
    def sku(self) -> str: ...
    @property
    def location(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Offer:
    """``quantity``: that the listing shall offer, from ``available`` units of its mapped locations, as far as
    32 bits can tell. ``versions``: of
    the levels there, 0 for one that has never moved."""

    quantity: int
    available: int
    versions: tuple[int, ...]


class Offers:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def of(self, channel: Channel, listings: Sequence[Mapped]) -> dict[str, Offer]:
        """By listing's id. Raises LedgerAway."""
        keys = list(
            dict.fromkeys((location, one.sku) for one in listings for location in _locations(channel, one.location))
        )
        levels = await self._ledger.some_levels(keys)
        known = dict(zip(keys, levels, strict=True))
        found = {}
        for one in listings:
            there = [known[location, one.sku] for location in _locations(channel, one.location)]
            units = [int(level["available"]) for level in there]
            quantity = target_of(
                units, share=channel.share, buffer=channel.buffer, safety=channel.safety, cap=channel.cap
            )
            available = max(-UNITS_MAX, min(sum(units), UNITS_MAX))
            found[one.remote] = Offer(quantity, available, tuple(int(level["version"]) for level in there))
        return found


def _locations(channel: Channel, location: str | None) -> Sequence[str]:
    return channel.locations if location is None else (location,)
