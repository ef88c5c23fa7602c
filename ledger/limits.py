"""The bounds of a ledger that an operator may set: what they are unless ``ledger.settings`` says otherwise."""

from dataclasses import dataclass

BODY_BYTES_MAX = 256 * 1024
"""Bytes of a request's body."""
LINES_MAX = 1000
"""Lines of one operation or of all operations of one request, levels of one query, and items or locations of a list."""
HOLD_TTL_S_MAX = 7 * 24 * 3600
"""Seconds that pending units of a hold may be kept, counted from when they were asked for."""
HOLD_TTL_S_HIGHEST = 90 * 24 * 3600
"""To which an operator may raise that. Not without end: a basket that nobody lets go of would keep its units."""
HOLD_COUNT_HIGHEST = 100_000
"""The most units or holds of one holder that a limit may allow: so many rows are looked at to say that it is met."""
CONNECTIONS_MAX = 2_000
"""Open HTTP connections."""
IN_FLIGHT_MAX = 500
"""Requests under way, those of hubs and those that wait for events left out."""


@dataclass(frozen=True, slots=True)
class HoldLimits:
    """Against hoarding: how many units all open holds of one customer or one owner may have, how many such holds, and
    which share of a level may be held. 0: no limit. ``ttl_s``: always one.
    """

    ttl_s: int = HOLD_TTL_S_MAX
    customer_units: int = 0
    customer_reservations: int = 0
    owner_units: int = 0
    owner_reservations: int = 0
    share_percent: int = 0

    @property
    def counted(self) -> bool:
        """Whether holds have to be counted."""
        return bool(self.customer_units or self.customer_reservations or self.owner_units or self.owner_reservations)
