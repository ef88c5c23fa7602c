"""The fields of a table, column by column: its texts, and what they are. Pure.

Columns repeat themselves. So each different text is read once, whatever the number of lines, and what is said about a
whole column (its decimal sign, its order of day and month) is found over all of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from decimal import Decimal

from stockwire.importing import words
from stockwire.importing.cell import Read, T
from stockwire.importing.dates import Moment, depends, find_order, on_day, read_moment
from stockwire.importing.invoice import Reject, clean_text
from stockwire.importing.mangled import lost_zeros_within, read_codes
from stockwire.importing.numbers import Decimals, decides, find_decimals, read_prices, read_quantities
from stockwire.importing.options import ReadOptions, zone_named
from stockwire.importing.profile import Profile
from stockwire.importing.records import Record
from stockwire.importing.table import Table
from stockwire.importing.zones import spoken_zone
from stockwire.request import is_name

REPORT_EVERY = 2_000
"""Lines between two reports of progress: some twenty a second."""

Reporter = Callable[[int, int], None]


class LeftOut(Exception):
    """A line that books nothing: the word, the reason, the field."""

    def __init__(self, word: str, reason: str, name: str = "") -> None:
        super().__init__(reason)
        self.word, self.reason, self.name = word, reason, name


@dataclass
class Fields:
    """``records``: those without a fault, to which all columns are aligned. ``found``: for the profile in effect."""

    table: Table
    options: ReadOptions
    records: Sequence[Record]
    readings: list[str]
    mends: dict[str, int] = field(default_factory=dict[str, int])
    rejects: list[Reject] = field(default_factory=list[Reject])
    found: dict[str, str] = field(default_factory=dict[str, str])
    _columns: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    @property
    def profile(self) -> Profile:
        return self.table.profile

    def texts(self, name: str) -> list[str]:
        """One text for each record; empty ones where the file has no such column."""
        if name not in self._columns:
            texts = self.table.texts(name) or [""] * len(self.records)
            self._columns[name] = self._carried(texts) if name in self.profile.carried else texts
        return self._columns[name]

    def has(self, name: str) -> bool:
        return name in self.table.columns.at

    def named(self, name: str) -> str:
        """A field's column as the file names it."""
        return self.table.columns.names.get(name, "")

    def skus(self) -> list[Read[str]]:
        """Each one that a sku can be, or empty."""
        texts = self.texts("sku")
        read = read_codes(set(texts), "sku", keep=self.options.keep_codes)
        values = {one.value for one in read.values() if one.value}
        lost = {} if self.options.keep_codes else lost_zeros_within(values)
        checked = {text: _checked_sku(one, lost) for text, one in read.items()}
        return [checked[text] for text in texts]

    def numbers(self) -> list[Read[str]]:
        """Each one that a reference can be: it may hold what no name of the API may."""
        texts = self.texts("number")
        checked = {text: _checked_number(one) for text, one in read_codes(set(texts), "number").items()}
        return [checked[text] for text in texts]

    def decimals(self, *names: str) -> Decimals:
        return self.decimals_of(*(self.texts(name) for name in names if self.has(name)))

    def decimals_of(self, *columns: Sequence[str]) -> Decimals:
        """Of columns of numbers. Raises UnreadableFile."""
        firsts: dict[str, int] = {}
        for texts in reversed(columns):
            firsts |= self._firsts(texts, decides)
        found = find_decimals(firsts, self.options.decimal or self.profile.decimal)
        self._say("decimal", found.sign if found.decided else "", found.reading)
        return found

    def quantities(self, name: str, decimals: Decimals) -> list[Read[int]]:
        texts = self.texts(name)
        read = read_quantities(set(texts), decimals.sign, name.replace("_", " "))
        return [read[text] for text in texts]

    def prices(self, name: str, decimals: Decimals) -> list[Read[Decimal]]:
        texts = self.texts(name)
        read = read_prices(set(texts), decimals.sign)
        read.update((text, Read(None)) for text in self.profile.plain if text in read)
        return [read[text] for text in texts]

    def moments(self) -> list[Read[Moment]]:
        texts = self.texts("at")
        if self.has("time"):
            texts = [on_day(day, clock) for day, clock in zip(texts, self.texts("time"), strict=True)]
        order = find_order(self._firsts(texts, depends), self.options.dates or self.profile.dates)
        self._say("dates", order.order if order.decided else "", order.reading)
        zones = self.texts("timezone")
        told = self.options.timezone or self.profile.timezone
        zone = zone_named(told) if told else None
        read = {
            (text, name): _moment(text, order.order, zone, name) for text, name in set(zip(texts, zones, strict=True))
        }
        if told:
            self._say("timezone", told, "")
        elif any(one.value and one.value.bare and not name for (_, name), one in read.items()):
            self.readings.append("times carry no offset and are taken as UTC (--timezone says otherwise)")
        return [read[pair] for pair in zip(texts, zones, strict=True)]

    def names(self) -> list[str]:
        """Names as the ledger takes them, with what tells variants apart."""
        texts = self.texts("name")
        clean = {text: clean_text(text) for text in set(texts)}
        names = [clean[text] for text in texts]
        for variant in ("variant1", "variant2", "variant3"):
            if self.has(variant):
                plain = ("", *self.profile.plain)
                names = [
                    clean_text(f"{name} / {text.strip()}") if text.strip() not in plain else name
                    for name, text in zip(names, self.texts(variant), strict=True)
                ]
        return names

    def mended(self, *mends: str) -> None:
        for one in mends:
            if one:
                self.mends[one] = self.mends.get(one, 0) + 1

    def reject(self, record: Record, word: str, reason: str, name: str = "") -> Reject:
        rejected = Reject(record.line, reason, record.original, word, self.named(name))
        self.rejects.append(rejected)
        return rejected

    def in_effect(self) -> Profile:
        """The profile with all that was told, and the order of dates and decimals that was found.

        Separator and encoding are found anew in each file: next month's may come from another program.
        """
        columns = self.table.columns
        exact = {
            name: (column,) for name, column in columns.names.items() if not (name == "on_hand" and columns.places)
        }
        told = {
            name: value
            for name in ("separator", "encoding", "dates", "decimal", "timezone", "worksheet", "only_location")
            if (value := getattr(self.options, name)) is not None
        }
        numbers = {"numbers": self.options.receipts} if self.options.receipts else {}
        return replace(
            self.profile, columns={**self.profile.columns, **exact}, marks=(), **{**self.found, **told, **numbers}
        )

    def _say(self, name: str, value: str, reading: str) -> None:
        if value:
            self.found[name] = value
        if reading:
            self.readings.append(reading)

    def _firsts(self, texts: Sequence[str], matters: Callable[[str], bool]) -> dict[str, int]:
        """Each different text that matters with the first line that has it, in the order of the file."""
        wanted = set(filter(matters, set(texts)))
        firsts: dict[str, int] = {}
        if wanted:
            for text, record in zip(texts, self.records, strict=True):
                if text in wanted and text not in firsts:
                    firsts[text] = record.line
        return firsts

    def _carried(self, texts: list[str]) -> list[str]:
        """What stands in the first line of a number, or group, for its others as well."""
        keys = self.texts("group") if self.has("group") else self.texts("number")
        first: dict[str, str] = {}
        return [text if text.strip() else first.get(key, "") for key, text in _noting(keys, texts, first)]


def open_fields(table: Table, options: ReadOptions) -> Fields:
    """What is at fault in the table itself is rejected here."""
    sound = [record for record in table.records if not record.fault]
    fields = Fields(table, options, sound, list(table.readings))
    for record in table.records:
        if record.fault:
            word = words.EMPTY_LINE if record.fault == words.EMPTY_LINE else words.NO_TABLE
            fields.reject(record, word, record.fault)
    return fields


def value_of(read: Read[T], name: str) -> T:
    """Raises LeftOut."""
    if read.value is None or read.word:
        raise LeftOut(read.word, read.reason, name)
    return read.value


def as_set(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(text.strip().casefold() for text in texts)


def is_among(text: str, among: frozenset[str]) -> bool:
    """Whether a text, or one of several with commas between them, is among these, in any case of letters."""
    folded = text.strip().casefold()
    return folded in among or ("," in folded and any(one.strip() in among for one in folded.split(",")))


def _noting(keys: Sequence[str], texts: Sequence[str], first: dict[str, str]) -> Iterable[tuple[str, str]]:
    for key, text in zip(keys, texts, strict=True):
        if text.strip():
            first.setdefault(key, text)
        yield key, text


def _checked_sku(read: Read[str], lost: Mapping[str, str]) -> Read[str]:
    sku = read.value
    if not sku:
        return read
    if not is_name(sku):
        return Read(sku, word=words.SKU, reason=f"sku {sku!r} is not 1 to 64 visible characters without / and *")
    if sku in lost:
        reason = f"sku {sku!r} has lost a leading zero: it is {lost[sku]!r} (--keep-codes takes it as it stands)"
        return Read(None, word=words.LEADING_ZERO_LOST, reason=reason)
    return read


def _checked_number(read: Read[str]) -> Read[str]:
    number = read.value
    if number is None or is_name(number) or is_name(number.replace("/", "-").replace("*", "-").replace(" ", "-")):
        return read
    if not number:
        return Read("", word=words.NUMBER, reason="no number of an invoice, receipt or order")
    return Read(None, word=words.NUMBER, reason=f"number {number!r} is not 1 to 64 visible characters")


def _moment(text: str, order: str, zone: tzinfo | None, name: str) -> Read[Moment]:
    if not name.strip():
        return read_moment(text, order, zone)
    spoken = spoken_zone(name.strip()) or zone
    if spoken is None:
        return Read(None, word=words.TIME_ZONE, reason=f"time zone {name!r} is not known: --timezone names one for all")
    return read_moment(text, order, spoken)
