"""Numbers as people type them: digits, perhaps a sign or a decimal point. Pure.

Python reads more than anybody means: ``1_0`` is 10 to it, and so are ``１０`` and `` 10 ``. A number that is taken for
another moves stock, so whatever is written otherwise is refused.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import typer

N = TypeVar("N", int, float)

_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,9})([smhd]?)", re.ASCII)
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)


def whole(low: int | None = None, high: int | None = None) -> Callable[[str], int]:
    """For ``parser=`` of an option or argument. Both bounds may be reached."""

    def parse(text: str | int) -> int:
        if not _WHOLE.fullmatch(str(text)):
            raise typer.BadParameter(f"{text!r} is no whole number{_between(low, high)}: give it digits only")
        return _bounded(int(text), low, high)

    return parse


def number(low: float | None = None, high: float | None = None) -> Callable[[str], float]:
    """As `whole`, with a decimal point if it must be."""

    def parse(text: str | float) -> float:
        if not _NUMBER.fullmatch(str(text)):
            raise typer.BadParameter(f"{text!r} is no number{_between(low, high)}: such as 40 or 0.5")
        return _bounded(float(text), low, high)

    return parse


def duration(low_s: int, high_s: int) -> Callable[[str], int]:
    """Seconds: ``90``, ``90s``, ``15m``, ``2h``, ``1d``."""

    def parse(text: str | int) -> int:
        found = _DURATION.fullmatch(str(text))
        if not found:
            raise typer.BadParameter(f"{text!r} is no time: such as 90s, 15m, 2h or 1d")
        seconds = int(found[1]) * _UNITS_S[found[2] or "s"]
        if not low_s <= seconds <= high_s:
            raise typer.BadParameter(f"{text} is out of range: from {low_s} s to {high_s // _UNITS_S['d']} d")
        return seconds

    return parse


def amount(text: str) -> Decimal:
    """Of money."""
    if not _NUMBER.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is no amount: such as 2.55")
    return Decimal(text)


def _bounded(value: N, low: float | None, high: float | None) -> N:
    if (low is not None and value < low) or (high is not None and value > high):
        raise typer.BadParameter(f"{value:g} is out of range:{_between(low, high)}")
    return value


def _between(low: float | None, high: float | None) -> str:
    match low, high:
        case None, None:
            return ""
        case _, None:
            return f" of at least {low:g}"
        case None, _:
            return f" of at most {high:g}"
    return f" from {low:g} to {high:g}"
