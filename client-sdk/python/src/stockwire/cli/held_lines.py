"""Lines of a reservation as they are typed: ``SKU@LOCATION=N``. Pure.

The last ``@`` parts the sku from the location, and a last ``=`` with digits behind it the units.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from stockwire.argument import UNITS_MAX
from stockwire.cli.numbers import whole

if TYPE_CHECKING:
    from stockwire.reservation import ReservationLine, Wanted

_units = whole(1, UNITS_MAX)


def lines_to_hold(words: Sequence[str], locations: str | None, split: bool) -> "list[Wanted]":
    """``locations``: names with commas between them, for the lines that name none. 1 unit where none are said."""
    from stockwire.reservation import held, held_from

    places = [] if locations is None else [place.strip() for place in locations.split(",") if place.strip()]
    if locations is not None and not places:
        raise typer.BadParameter("name locations, with commas between them", param_hint="--from")
    if split and not places:
        raise typer.BadParameter("it is for several locations: name them with --from", param_hint="--split")
    lines: list[Wanted] = []
    named = False
    for word in words:
        sku, location, units = _parted(word)
        if location is not None:
            lines.append(held(sku, location, units or 1))
        elif places:
            lines.append(held_from(sku, places, units or 1, split=split))
            named = True
        else:
            raise typer.BadParameter(f"{word!r} names no location: SKU@LOCATION, or --from berlin,hamburg for all")
    if places and not named:
        raise typer.BadParameter("every line names its own location", param_hint="--from")
    return lines


def lines_of_hold(words: Sequence[str] | None) -> "list[Wanted] | None":
    """Of one that is there: all units of a line where none are said; None where no line is."""
    from stockwire.reservation import held

    lines: list[Wanted] = []
    for word in words or ():
        sku, location, units = _parted(word)
        if location is None:
            raise typer.BadParameter(f"{word!r} names no location: SKU@LOCATION")
        lines.append(held(sku, location, units))
    return lines or None


def typed(line: "ReservationLine") -> str:
    """As it would be typed."""
    return f"{line.sku}@{line.location}={line.quantity}"


def _parted(word: str) -> tuple[str, str | None, int | None]:
    """Sku, location and units, as far as they are said."""
    name, equals, digits = word.rpartition("=")
    units = None
    if equals and digits.lstrip("-").isdecimal():
        units = _units(digits)
    else:
        name = word
    sku, at, location = name.rpartition("@")
    if not at:
        return name, None, units
    if not sku or not location:
        raise typer.BadParameter(f"{word!r} is no line: SKU@LOCATION=N")
    return sku, location, units
