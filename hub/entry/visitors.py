"""Visitors: pages that watch without a key or token what the public may see. Pure.

They are counted apart from everybody else, and are the first to give way: a newcomer is refused when places run short,
and one that is here ends when somebody with a key needs its place.
"""

import random
from collections.abc import Callable, Sequence
from enum import Enum

from hub.endings import VISITOR_AWAY_MAX_MS, VISITOR_AWAY_MIN_MS, Ending
from hub.errors import Crowded, Ended
from hub.limits import Limits, Rate, Rates, Tally, VisitorLimits
from server.problems import Overloaded, RateLimited
from wire.scopes import PUBLIC
from wire.tokens import Principal

ANYBODY = ""
"""The owner of everything that needs no key. No other owner has this name."""
STAY_S = 300.0
"""When visitors have all their places, the one that came first keeps its own for so long; then it is a newcomer's.
Whoever took all places and stayed would else keep everybody out."""
EVERYWHERE = "*"
REASONS = ("places", "address", "rate", "address_rate", "gave_way")
MINUTE_S = 60
NEW_LEVEL = 10
"""What a name counts that costs the hub a level of its own (a sku without stock, a threshold), in names that exist."""


class Port(Enum):
    """Where a visitor came in: places run short at each by itself."""

    STREAM = "stream"
    EVENTS = "event_stream"


class Visit:
    """The place of one visitor. ``end``: ends its connection. ``levels``: what it names, in names that exist."""

    __slots__ = ("address", "came_at", "end", "levels", "port")

    def __init__(self, port: Port, address: str, came_at: float, end: Callable[[Ended], None]) -> None:
        self.port = port
        self.address = address
        self.came_at = came_at
        self.end = end
        self.levels = 0


class Visitors:
    """Those of one hub. ``limits``: of one visitor's connection. ``refused``: by reason, for the metrics."""

    def __init__(
        self,
        allowed: VisitorLimits | None,
        limits: Limits,
        locations: Sequence[str] = (),
        origins: Sequence[str] = (),
        clock: Callable[[], float] = float,
    ) -> None:
        """``allowed``: None where there are no visitors. ``locations``, ``origins``: as in the settings. ``clock``: in
        seconds, monotonic.
        """
        self.open = allowed is not None
        allowed = allowed or VisitorLimits()
        self.limits = allowed.within(limits)
        self.principal = Principal(ANYBODY, None, frozenset(f"{PUBLIC}{location}" for location in locations))
        self.refused = dict.fromkeys(REASONS, 0)
        self._allowed = allowed
        self._origins = frozenset(origins)
        self._visits: dict[Port, dict[Visit, None]] = {port: {} for port in Port}
        self._addresses = Tally(allowed.per_address_max)
        self._clock = clock
        self._rate = Rate(allowed.per_minute, allowed.per_minute, clock())
        self._address_rates = Rates(allowed.per_address_per_minute)
        self._levels = 0
        most_at_once = max(allowed.levels_per_minute // 10, NEW_LEVEL * allowed.skus_max)
        self._levels_rate = Rate(allowed.levels_per_minute, most_at_once, clock())

    def at(self, port: Port) -> int:
        """How many are here."""
        return len(self._visits[port])

    def is_page(self, origin: str | None, site: str | None = None) -> bool:
        """Whether a request without a key comes from a page that may visit. ``site``: its ``Sec-Fetch-Site``.

        What sends no Origin is no browser, and can keep a key: a till that lost its own is told so, instead of being
        shown steps for numbers. Only what a page fetches from its own origin goes without, and says that it does.
        """
        if not self.open:
            return False
        if origin is None:
            return site == "same-origin"
        return origin in self._origins or EVERYWHERE in self._origins

    def come(self, port: Port, address: str, end: Callable[[Ended], None], *, crowded: bool) -> Visit:
        """``crowded``: this port has no place left for anybody. Raises Overloaded, Crowded or RateLimited."""
        now = self._clock()
        if self._addresses.full(address):
            self.refused["address"] += 1
            raise Crowded("address", self._addresses.most, _away_s())
        oldest = self._oldest() if self._full else None
        if crowded or (self._full and (oldest is None or now - oldest.came_at < STAY_S)):
            self._refuse("places")
        if not self._address_rates.take(address, now):
            self.refused["address_rate"] += 1
            quota = self._address_rates.per_minute
            raise RateLimited("an address without a key", _away_s(), quota, MINUTE_S)
        if not self._rate.take(now):
            self._refuse("rate")
        if oldest is not None:
            self._give_way(oldest)
        self._addresses.take(address)
        visit = Visit(port, address, now, end)
        self._visits[port][visit] = None
        return visit

    def give_way(self, port: Port) -> bool:
        """Somebody with a key needs a place: whether the visitor that came first has left its own."""
        first = next(iter(self._visits[port]), None)
        if first is not None:
            self._give_way(first)
        return first is not None

    def leave(self, visit: Visit) -> None:
        """Safe to call twice."""
        if visit in self._visits[visit.port]:
            del self._visits[visit.port][visit]
            self._addresses.give_back(visit.address)
            self._levels -= visit.levels

    def claim(self, visit: Visit, levels: int) -> bool:
        """Whether it may name so much more, beside what all visitors name and have begun to lately."""
        if visit not in self._visits[visit.port] or self._levels + levels > self._allowed.levels_max:
            return False
        if not self._levels_rate.take(self._clock(), levels):
            return False
        self._levels += levels
        visit.levels += levels
        return True

    def give_back(self, visit: Visit, levels: int) -> None:
        """Of what it has claimed; once it has left, it has none."""
        if visit in self._visits[visit.port]:
            self._levels -= levels
            visit.levels -= levels

    @property
    def _full(self) -> bool:
        return sum(map(len, self._visits.values())) >= self._allowed.visitors_max

    def _oldest(self) -> Visit | None:
        first = [next(iter(visits)) for visits in self._visits.values() if visits]
        return min(first, key=lambda visit: visit.came_at, default=None)

    def _give_way(self, visit: Visit) -> None:
        self.refused["gave_way"] += 1
        self.leave(visit)
        visit.end(Ended(Ending.VISITOR_GIVES_WAY))

    def _refuse(self, reason: str) -> None:
        self.refused[reason] += 1
        raise Overloaded("this hub takes no more visitors now", _away_s())


def _away_s() -> int:
    """Spread, so that not everybody comes at once."""
    return random.randint(VISITOR_AWAY_MIN_MS, VISITOR_AWAY_MAX_MS) // 1_000
