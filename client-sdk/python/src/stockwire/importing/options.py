"""What a user may tell about a file."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stockwire.importing.errors import UnreadableFile
from stockwire.importing.profile import Profile

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
DATE_ORDERS = ("dmy", "mdy", "ymd")
NUMBERS = ("unique", "daily")

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})\Z")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """None or empty: found in the file, and said. Each is the option of the command line with its name.

    ``columns``: field to column, from `parse_map`. ``timezone``: of times that carry no offset. ``only_location``: of a
    file whose lines name several. ``receipts``: whether a number is one sale for ever or begins again each day.
    ``keep_codes``: skus are taken as they stand, nothing is mended and nothing asked. Raises UnreadableFile.
    """

    profile: Profile | None = None
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    separator: str | None = None
    encoding: str | None = None
    dates: str | None = None
    decimal: str | None = None
    timezone: str | None = None
    worksheet: str | None = None
    only_location: str | None = None
    receipts: str | None = None
    keep_codes: bool = False

    def __post_init__(self) -> None:
        if self.separator is not None:
            object.__setattr__(self, "separator", _separator(self.separator))
        if self.encoding is not None:
            _check_encoding(self.encoding)
        _one_of("--dates", self.dates, DATE_ORDERS)
        _one_of("--decimal", self.decimal, (",", "."))
        _one_of("--receipts", self.receipts, NUMBERS)
        if self.timezone is not None:
            zone_named(self.timezone)


def zone_named(name: str) -> tzinfo:
    """``Europe/Berlin``, ``UTC`` or ``+01:00``. Raises UnreadableFile."""
    if name.upper() in ("UTC", "Z"):
        return UTC
    offset = _OFFSET.match(name)
    if offset and int(offset[2]) < 24 and int(offset[3]) < 60:
        minutes = int(offset[2]) * 60 + int(offset[3])
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnreadableFile(
            f"--timezone {name!r} is no time zone that this computer knows: Europe/Berlin, UTC or +01:00"
        ) from None


def _separator(text: str) -> str:
    separator = SEPARATORS.get(text.lower(), "\t" if text == "\\t" else text)
    if len(separator) != 1 or separator in '"\r\n':
        raise UnreadableFile(f"--separator {text!r} is neither one character nor one of {', '.join(SEPARATORS)}")
    return separator


def _check_encoding(name: str) -> None:
    try:
        found = codecs.lookup(name)
        "".encode(found.name)
    except (LookupError, ValueError):
        raise UnreadableFile(f"--encoding {name!r} is not known: utf-8, utf-16, windows-1252 ...") from None


def _one_of(option: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise UnreadableFile(f"{option} {value!r} is none of {' '.join(allowed)}")
