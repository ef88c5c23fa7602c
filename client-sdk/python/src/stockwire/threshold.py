"""Thresholds with hysteresis: what raises and lowers one, and on which side of it a level stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stockwire import argument
from stockwire.argument import UNITS_MAX
from stockwire.level import flag, integer, text


@dataclass(frozen=True, slots=True)
class AtMost:
    """Raised at so many available units or fewer, lowered again at ``until`` or more (None: one above). Raises Invalid.

    >>> AtMost(5, until=8)  # it does not flicker while stock moves between 5 and 8
    AtMost(units=5, until=8)
    """

    units: int
    until: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", argument.whole("units", self.units, 0, UNITS_MAX))
        if self.until is not None:
            until = argument.whole("until", self.until, self.units + 1, UNITS_MAX)
            object.__setattr__(self, "until", until)

    def body(self) -> dict[str, int]:
        return {"at_most": self.units} | ({} if self.until is None else {"until": self.until})


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Raised at so many available units or more, lowered again at ``until`` or fewer (None: one below). Raises Invalid.

    >>> AtLeast(1)  # back in stock
    AtLeast(units=1, until=None)
    """

    units: int
    until: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", argument.whole("units", self.units, 1, UNITS_MAX))
        if self.until is not None:
            object.__setattr__(self, "until", argument.whole("until", self.until, 0, self.units - 1))

    def body(self) -> dict[str, int]:
        return {"at_least": self.units} | ({} if self.until is None else {"until": self.until})


@dataclass(frozen=True, slots=True)
class Threshold:
    """On which side of a threshold a level stands. Not raised, at version 0, if it was only seen between the edges.

    ``version`` is the level's when the hub first saw it there, and ``available`` its units then; with ``public`` the
    version of what the public sees, and None.
    """

    sku: str
    location: str
    version: int
    raised: bool
    available: int | None

    @property
    def key(self) -> tuple[str, str]:
        """``(location, sku)``, by which a view finds it."""
        return (self.location, self.sku)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Threshold":
        """Undecided if ``raised`` is null. Raises Malformed. Unknown fields are ignored."""
        between = data.get("raised", False) is None
        return (Undecided if between else Threshold)(
            sku=text(data, "sku"),
            location=text(data, "location"),
            version=integer(data, "version"),
            raised=False if between else flag(data, "raised"),
            available=None if data.get("available") is None else integer(data, "available"),
        )

    def never(self) -> "Threshold":
        """Not raised: what has not come into being has crossed nothing."""
        return Threshold(self.sku, self.location, 0, raised=False, available=None)


class Undecided(Threshold):
    """Between the edges, and the hub has not seen from which side it came there. On the wire only, never held."""

    __slots__ = ()


def settle(told: Threshold, held: Threshold | None) -> Threshold:
    """What is to be held after ``told``: of one that is undecided, what is known already."""
    if not isinstance(told, Undecided):
        return told
    # Version 0: whatever another hub knows for sure counts more, also if it saw it before this one looked
    return held or Threshold(told.sku, told.location, 0, raised=False, available=told.available)


def crossed(before: Threshold | None, now: Threshold) -> bool:
    """What has just come into being (``before`` None) was not raised before."""
    return now.raised if before is None else before.raised != now.raised
