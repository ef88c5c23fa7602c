"""Dates and times as shops write them, in UTC. Pure.

Day and month are told apart over all texts of the file: 13/11 shows it, 02/11 alone does not. A time without an offset
is one of the zone that was told, else UTC, and that is said.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple

from stockwire.importing import words
from stockwire.importing.cell import Read, fault
from stockwire.importing.errors import UnreadableFile

YEARS = range(1900, 3000)
"""As the ledger takes them."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?"
)
_ZONE = r"(?P<zone>z|utc|gmt|(?:utc|gmt)?[+\-\u2212]\d{2}(?::?\d{2})?)"
_TIME = re.compile(rf"{_CLOCK}(?:\s*{_ZONE})?\Z", re.IGNORECASE | re.ASCII)
_NUMERIC = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})\.?\Z", re.ASCII)
_DAY_FIRST = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[ .-]+([a-z]{3,9})\.?,?[ -]+(\d{4}|\d{2})\Z", re.IGNORECASE | re.ASCII
)
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})\Z", re.IGNORECASE | re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})\Z", re.ASCII)
_SPLIT = re.compile(
    r"^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?(.*?)(?:(?:T|,?\s+)(\d{1,2}:.*))?$", re.IGNORECASE | re.ASCII
)
_MIDNIGHT = re.compile(r"(?:T|\s+)(?:0?0:00(?::00(?:\.0+)?)?|12:00(?::00)? ?AM)\s*\Z", re.IGNORECASE | re.ASCII)
_SERIAL = re.compile(r"[2-7]\d{4}([.,]\d+)?\Z", re.ASCII)
_NAMES = {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year/month/day"}


class Moment(NamedTuple):
    """``at`` in UTC; ``day``: the day as the file writes it. ``bare``: it carries no offset."""

    at: datetime
    day: date
    bare: bool


@dataclass(frozen=True, slots=True)
class DateOrder:
    """``decided``: told, or shown by a date; else it is what is usual, and another file's may be another."""

    order: str
    reading: str = ""
    decided: bool = False


def find_order(texts: Mapping[str, int], told: str | None) -> DateOrder:
    """``texts``: each different date of the file with the first line that has it. Raises UnreadableFile."""
    if told is not None:
        return DateOrder(told, decided=True)
    by_date: dict[str, tuple[str, int]] = {}
    for text, line in texts.items():
        written = _date_part(text)
        if written not in by_date:
            by_date[written] = (text.strip(), line)
    valid = {one: orders for one in by_date if (orders := _orders(one))}
    if not valid:
        return DateOrder("ymd")
    possible = [order for order in _NAMES if all(order in orders for orders in valid.values())]
    if not possible:
        raise _contradiction(by_date, valid)
    if len(possible) == 1:
        return _shown(possible[0], by_date, valid)
    undecided = next((one for one, orders in valid.items() if len({orders[order] for order in possible}) > 1), None)
    if undecided is None:
        return DateOrder(possible[0])
    text, line = by_date[undecided]
    if "dmy" in possible and all(one.count(".") >= 2 for one in valid):
        return DateOrder(
            "dmy",
            f"dates with dots are taken as day.month.year, as {text!r} (line {line}): "
            f"--dates {' or '.join(possible[1:])} says otherwise",
        )
    days = dict.fromkeys(_spoken(valid[undecided][order]) for order in possible)
    raise UnreadableFile(
        f"{text!r} (line {line}) can be {' or '.join(days)}, and no date of the file decides: "
        f"say {' or '.join(f'--dates {order}' for order in possible)}"
    )


def depends(text: str) -> bool:
    """Whether what a date is may depend on the order of day and month; not where a year of four digits is first."""
    return text[4:5] != "-" or not text[:4].isdigit()


def on_day(day: str, clock: str) -> str:
    """A date and a time of day from a column each. A spreadsheet gives each date a time, midnight: it says nothing."""
    return f"{_MIDNIGHT.sub('', day)} {clock}" if clock.strip() else day


def read_moment(text: str, order: str, zone: tzinfo | None) -> Read[Moment]:
    stripped = text.strip()
    local = _iso(stripped)
    if local is None:
        try:
            local = _written(stripped, order)
        except ValueError:
            return fault(*_why_not(stripped, order))
    if local.year not in YEARS:
        return fault(words.DATE, f"date {text!r} is not within the years 1900 to 2999")
    day = local.date()
    if local.tzinfo is not None:
        try:
            return Read(Moment(local.astimezone(UTC), day, bare=False))
        except OverflowError:
            return fault(words.DATE, f"date {text!r} is out of range")
    if zone is None:
        return Read(Moment(local.replace(tzinfo=UTC), day, bare=True))
    return _in_zone(local, zone, text)


def _in_zone(local: datetime, zone: tzinfo, text: str) -> Read[Moment]:
    """Of an hour that comes twice the first is taken; one that a clock skips has never been."""
    first = local.replace(tzinfo=zone).astimezone(UTC)
    moment = Moment(first, local.date(), bare=True)
    if first == local.replace(tzinfo=zone, fold=1).astimezone(UTC):
        return Read(moment)
    if first.astimezone(zone).replace(tzinfo=None) != local:
        return fault(words.NO_SUCH_TIME, f"{text.strip()!r} is no time in {zone}: the clocks went forward over it")
    return Read(moment, mend=words.FIRST_OF_TWO)


def _iso(text: str) -> datetime | None:
    """What Stockwire itself prints, fast; None if it is written otherwise."""
    if text[4:5] != "-" and text[8:9] != "T":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _written(text: str, order: str) -> datetime:
    """Raises ValueError."""
    written, clock = _split(text)
    day = _dates(written).get(order)
    if day is None:
        raise ValueError(text)
    return datetime.combine(day, _time(clock))


@lru_cache(maxsize=4096)
def _time(text: str) -> time:
    """Raises ValueError."""
    if not text:
        return time()
    found = _TIME.match(text)
    if found is None:
        raise ValueError(text)
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if found["half"] in "pP" else 0)
    fraction = int((found["fraction"] or "").ljust(6, "0")[:6] or 0)
    return time(hour, int(found["minute"]), int(found["second"] or 0), fraction, _offset(found["zone"]))


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    digits = text.lower().removeprefix("utc").removeprefix("gmt").replace("\u2212", "-").replace(":", "")
    if digits in ("", "z"):
        return UTC
    minutes = int(digits[1:3]) * 60 + int(digits[3:5] or 0)
    return timezone(timedelta(minutes=-minutes if digits[0] == "-" else minutes))


@lru_cache(maxsize=4096)
def _dates(text: str) -> Mapping[str, date]:
    """What a date can be, by the order of day and month; the same in every order where it says it itself."""
    numeric = _NUMERIC.match(text)
    if numeric:
        return _numeric_dates(numeric[1], numeric[3], numeric[4])
    named = _DAY_FIRST.match(text)
    day, month, year = (named[1], named[2], named[3]) if named else ("", "", "")
    if named is None and (month_first := _MONTH_FIRST.match(text)):
        month, day, year = month_first[1], month_first[2], month_first[3]
    if month[:3].lower() in _MONTHS:
        return _same(_date(year, str(_MONTHS.index(month[:3].lower()) + 1), day))
    compact = _COMPACT.match(text)
    return _same(_date(compact[1], compact[2], compact[3])) if compact else {}


def _numeric_dates(a: str, b: str, c: str) -> Mapping[str, date]:
    if len(a) > 2:
        return _same(_date(a, b, c)) if len(a) == 4 and len(c) <= 2 else {}
    if len(c) not in (2, 4):
        return {}
    found = {
        "dmy": _date(c, b, a),
        "mdy": _date(c, a, b),
        "ymd": _date(a, b, c) if len(c) == 2 and len(a) == 2 else None,
    }
    return {order: day for order, day in found.items() if day is not None}


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None


def _same(day: date | None) -> Mapping[str, date]:
    return {} if day is None else dict.fromkeys(_NAMES, day)


def _orders(written: str) -> Mapping[str, date]:
    """What a date can be, if it depends on the order; nothing for one that says it itself, or is none."""
    numeric = _NUMERIC.match(written)
    return _dates(written) if numeric and len(numeric[1]) <= 2 else {}


def _split(text: str) -> tuple[str, str]:
    found = _SPLIT.match(text)
    return (found[1].strip(), found[2] or "") if found else (text, "")


def _date_part(text: str) -> str:
    return _split(text.strip())[0] if depends(text) else ""


def _shown(order: str, by_date: Mapping[str, tuple[str, int]], valid: Mapping[str, Mapping[str, date]]) -> DateOrder:
    other = "mdy" if order == "dmy" else "dmy"
    text, line = by_date[next(one for one, orders in valid.items() if other not in orders)]
    reading = f"dates are {_NAMES[order]}: {text!r} (line {line}) cannot be {_NAMES[other]}"
    return DateOrder(order, reading, decided=True)


def _contradiction(by_date: Mapping[str, tuple[str, int]], valid: Mapping[str, Mapping[str, date]]) -> UnreadableFile:
    told = [
        f"{by_date[one][0]!r} (line {by_date[one][1]}) cannot be {_NAMES[order]}"
        for order in ("mdy", "dmy")
        if (one := next((one for one, orders in valid.items() if order not in orders), None)) is not None
    ]
    return UnreadableFile(f"dates are written in two ways: {', '.join(told)}: say --dates dmy, mdy or ymd")


def _spoken(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1].capitalize()} {day.year}"


def _why_not(text: str, order: str) -> tuple[str, str]:
    if not text:
        return words.DATE, "date is empty"
    if _SERIAL.match(text):
        return words.DATE_SERIAL, f"date {text!r} is a spreadsheet's date serial: give the column a date format"
    if text.startswith("#"):
        return words.SPREADSHEET_ERROR, f"date {text!r} is an error of a spreadsheet"
    written, _ = _split(text)
    if _orders(written):
        return words.DATE, f"date {text!r} is no {_NAMES[order]}"
    return words.DATE, f"date {text!r} is none"
