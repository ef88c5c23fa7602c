"""Bodies of requests about reservations: their fields, every bound on them, and what is said of a wrong one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ledger.http.bodies import Body, Text, decode
from ledger.limits import LINES_MAX
from server.problems import Invalid
from wire.messages import Name

PLACES_MAX = 32
"""Locations of one line to choose from."""
HOLD_TTL_S_DEFAULT = 900
"""Unless one is asked for; less where the ledger or an item allows no more."""

Units = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Ttl = Annotated[int, Meta(ge=1)]
Label = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z")]


class WantedLine(Body, frozen=True):
    """Either ``location``, or ``locations`` in order of preference."""

    sku: Name
    quantity: Units
    location: Name | UnsetType = UNSET
    locations: Annotated[list[Name], Meta(min_length=1, max_length=PLACES_MAX)] | UnsetType = UNSET
    split: bool = False

    @property
    def places(self) -> Sequence[str]:
        """Once ``check_wanted`` has found one of them."""
        if self.location is not UNSET:
            return (self.location,)
        return () if self.locations is UNSET else self.locations


class Reservation(Body, frozen=True):
    lines: Annotated[list[WantedLine], Meta(min_length=1, max_length=LINES_MAX)]
    ttl_s: Ttl | None = None
    reference: Text | None = None
    customer: Label | None = None

    def locations(self) -> Iterator[str]:
        """All that it names."""
        return (location for line in self.lines for location in line.places)


class Part(Body, frozen=True):
    """``quantity``: None for all units of the line that it can be done with."""

    sku: Name
    location: Name
    quantity: Units | None = None


class Parts(Body, frozen=True):
    """None: the whole reservation."""

    lines: Annotated[list[Part], Meta(min_length=1, max_length=LINES_MAX)] | None = None


class CommitParts(Parts, frozen=True):
    fulfil: bool = False


class Extension(Body, frozen=True):
    ttl_s: Ttl


class NewQuantity(Body, frozen=True):
    """0 lets go of the line."""

    sku: Name
    location: Name
    quantity: Annotated[int, Meta(ge=0, le=2**31 - 1)]


class NewQuantities(Body, frozen=True):
    lines: Annotated[list[NewQuantity], Meta(min_length=1, max_length=LINES_MAX)]
    ttl_s: Ttl | None = None


def reservation(body: bytes, lines_max: int, ttl_s_max: int) -> Reservation:
    """Raises Invalid."""
    asked = decode(_reservation, body)
    check_ttl(asked.ttl_s, ttl_s_max)
    if len(asked.lines) > lines_max:
        raise Invalid("lines", f"must be at most {lines_max}")
    named: dict[tuple[str, str], int] = {}
    for number, line in enumerate(asked.lines):
        _check_places(line, f"lines[{number}].")
        for location in line.places:
            _check_once(named, (line.sku, location), number)
    check_levels(len(named))
    return asked


def check_levels(number: int) -> None:
    """One operation moves all levels of a reservation, and has no more lines than any other. Raises Invalid."""
    if number > LINES_MAX:
        raise Invalid("lines", f"must name at most {LINES_MAX} levels in all, not {number}")


def _check_places(line: WantedLine, path: str) -> None:
    if (line.location is UNSET) == (line.locations is UNSET):
        raise Invalid(f"{path}location", "is required, or locations; not both")
    if line.split and line.locations is UNSET:
        raise Invalid(f"{path}split", "is for several locations: name them in locations")
    first: dict[str, int] = {}
    for number, location in enumerate(line.places):
        if (earlier := first.setdefault(location, number)) != number:
            raise Invalid(f"{path}locations[{number}]", f"names {location}, as locations[{earlier}] does")


def _check_once(named: dict[tuple[str, str], int], level: tuple[str, str], number: int) -> None:
    """Which of two lines gets the units of a level would be left to chance."""
    if (first := named.setdefault(level, number)) != number:
        raise Invalid(f"lines[{number}]", f"names {level[0]} at {level[1]}, as lines[{first}] does")


def parts(body: bytes) -> Parts:
    """No body asks for all of it. Raises Invalid, as those below do."""
    return decode(_parts, body or b"{}")


def commit(body: bytes) -> CommitParts:
    return decode(_commit, body or b"{}")


def extension(body: bytes) -> Extension:
    return decode(_extension, body)


def new_quantities(body: bytes) -> NewQuantities:
    return decode(_quantities, body)


def quantities(
    lines: Sequence[Part | NewQuantity] | None, lines_max: int
) -> Mapping[tuple[str, str], int | None] | None:
    """By (location, sku). Raises Invalid for a line that is named twice, and for too many."""
    if lines is None:
        return None
    if len(lines) > lines_max:
        raise Invalid("lines", f"must be at most {lines_max}")
    found: dict[tuple[str, str], int | None] = {}
    named: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines):
        _check_once(named, (line.sku, line.location), number)
        found[line.location, line.sku] = line.quantity
    return found


def check_ttl(ttl_s: int | None, ttl_s_max: int) -> None:
    if ttl_s is not None and ttl_s > ttl_s_max:
        raise Invalid("ttl_s", f"must be at most {ttl_s_max}, not {ttl_s}")


_reservation = msgspec.json.Decoder(Reservation)
_parts = msgspec.json.Decoder(Parts)
_commit = msgspec.json.Decoder(CommitParts)
_extension = msgspec.json.Decoder(Extension)
_quantities = msgspec.json.Decoder(NewQuantities)
