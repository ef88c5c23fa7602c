"""What a run sells: a location and skus of its own, so that it can run beside anything else. Pure but for chance."""

import random
import secrets
from dataclasses import dataclass

from stockwire.operation import Line, receipt, sale

HOT_SHARE = 0.1
"""Of the skus, at least one."""
OPENING_UNITS = 200
OPENING_UNITS_HOT = 60
"""So few that the rush sells them out: refusals are part of a launch."""
DELIVERY_UNITS = 40
SCARCE_UNITS = 10
"""Staff bring a delivery when fewer are available."""
WATCHED_NAMES_MAX = 8
BASKET_LINES_MAX = 6


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Reproducible from its two fields, so that every process of a run makes the same one."""

    location: str
    size: int

    @property
    def skus(self) -> list[str]:
        return [f"{self.location}-{number:03}" for number in range(self.size)]

    @property
    def hot(self) -> list[str]:
        return self.skus[: max(1, round(HOT_SHARE * self.size))]

    def opening(self, reference: str) -> list[Line]:
        hot = set(self.hot)
        return [
            receipt(sku, self.location, OPENING_UNITS_HOT if sku in hot else OPENING_UNITS, reference=reference)
            for sku in self.skus
        ]

    def wish(self, hot: float) -> str:
        """``hot``: the probability that it is a hot sku."""
        return random.choice(self.hot if random.random() < hot else self.skus)

    def watched(self) -> list[str] | None:
        """What a shopper has on the screen: the whole shop, or a page of some skus that has a hot one."""
        if random.random() < 0.5:
            return None
        return list(dict.fromkeys(self.wish(0.5) for _ in range(random.randint(1, WATCHED_NAMES_MAX))))

    def basket(self, hot: float, reference: str) -> list[Line]:
        """Two lines or more, each of another sku."""
        skus = dict.fromkeys(self.wish(hot) for _ in range(random.randint(2, BASKET_LINES_MAX)))
        return [sale(sku, self.location, random.randint(1, 3), reference=reference) for sku in skus]


def named(location: str, size: int) -> Catalogue:
    return Catalogue(location or f"launch-{secrets.token_hex(4)}", size)
