"""Quantities and prices as shops and spreadsheets write them. Pure.

Whether a comma is a decimal sign or separates thousands is found over all texts of the file, never in a single one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from stockwire.importing import words
from stockwire.importing.cell import Read, fault
from stockwire.importing.errors import UnreadableFile
from stockwire.importing.mangled import without_hard_spaces
from stockwire.operation import QUANTITY_MAX

_PLAIN = re.compile(r"[+-]?[0-9]{1,18}\Z")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+\Z")
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\ufe63": "-", "\uff0d": "-"})
_MONEY = re.compile(r"(?i)(?:[A-Z]{3}|CA\$|A\$|US\$|kr\.?|zł|Fr\.?|R\$|[$€£¥₹₩₽₺₪])")
_PRICE = re.compile(r"[0-9]{1,10}(\.[0-9]{1,4})?\Z")
_ERROR = re.compile(r"#\S*\Z")
_GROUPED = {
    ".": re.compile(r"[+-]?[0-9]{1,3}(?:[, '\u2019][0-9]{3})+(?:\.[0-9]*)?\Z"),
    ",": re.compile(r"[+-]?[0-9]{1,3}(?:[. '\u2019][0-9]{3})+(?:,[0-9]*)?\Z"),
}
_UNGROUPED = {
    ".": re.compile(r"[+-]?[0-9]*\.?[0-9]*\Z"),
    ",": re.compile(r"[+-]?[0-9]*,?[0-9]*\Z"),
}


@dataclass(frozen=True, slots=True)
class Decimals:
    """``sign``: the decimal sign of the file. ``reading``: what to say about it.

    ``decided``: told, or shown by a number; else no number of the file needs one, and another file's may.
    """

    sign: str
    reading: str = ""
    decided: bool = False


def find_decimals(texts: Mapping[str, int], told: str | None) -> Decimals:
    """``texts``: each different text of the columns of numbers, with the first line that has it.

    Raises UnreadableFile if both readings are possible, or neither for all.
    """
    if told is not None:
        return Decimals(told, decided=True)
    shows: dict[str, tuple[str, int]] = {}
    unclear: tuple[str, int] | None = None
    for text, line in texts.items():
        number = _bare(text)
        if not decides(number):
            continue
        possible = [sign for sign in ".," if _GROUPED[sign].match(number) or _UNGROUPED[sign].match(number)]
        if len(possible) == 1:
            shows.setdefault(possible[0], (text.strip(), line))
        elif possible:
            unclear = unclear or (text.strip(), line)
    if len(shows) == 2:
        (point, first), (comma, second) = shows["."], shows[","]
        raise UnreadableFile(
            f"numbers are written in two ways: {point!r} (line {first}) and {comma!r} (line {second}): "
            "say which with --decimal . or --decimal ,"
        )
    if not shows and unclear is not None:
        raise UnreadableFile(
            f"{unclear[0]!r} (line {unclear[1]}) can be a thousand or a fraction, and no line decides: "
            "say --decimal . or --decimal ,"
        )
    if not shows:
        return Decimals(".")
    sign, (text, line) = next(iter(shows.items()))
    return Decimals(sign, f"decimal comma, as in {text!r} (line {line})" if sign == "," else "", decided=True)


def decides(text: str) -> bool:
    """Whether a number says something about the decimal sign of its file."""
    return "." in text or "," in text


def read_quantities(texts: Iterable[str], sign: str, column: str) -> dict[str, Read[int]]:
    return {text: _quantity(text, sign, column) for text in texts}


def read_prices(texts: Iterable[str], sign: str) -> dict[str, Read[Decimal]]:
    """A price of nothing is None without a word; 0 is one."""
    return {text: _price(text, sign) for text in texts}


def unit_price(total: Decimal | None, quantity: int) -> Decimal | None:
    """The price of one unit, if the total is a whole number of them in a ten-thousandth."""
    if total is None or quantity == 0:
        return None
    price = total / abs(quantity)
    rounded = price.quantize(Decimal("0.0001"))
    return rounded.normalize() if rounded == price and rounded > 0 else None


def _quantity(text: str, sign: str, column: str) -> Read[int]:
    if _PLAIN.match(text):  # nearly all
        return _within(int(text), text, "")
    stripped, mend = without_hard_spaces(text)
    number = stripped.translate(_MINUS)
    if number != stripped:
        mend = words.MINUS
    if number.startswith("(") and number.endswith(")"):
        number, mend = f"-{number[1:-1]}", words.MINUS
    if number.startswith("'") or (number.startswith('="') and number.endswith('"')):
        number = number.strip("'=\"")
        mend = words.APOSTROPHE if stripped.startswith("'") else words.FORMULA
    if not number:
        return fault(words.QUANTITY, f"{column} is empty")
    if _SCIENTIFIC.match(number):
        return fault(words.DIGITS_LOST, f"{column} {text!r}: a spreadsheet has shortened it and its digits are lost")
    if _ERROR.match(number):
        return fault(words.SPREADSHEET_ERROR, f"{column} {text!r} is an error of a spreadsheet")
    whole, fraction, grouped = _parts(number, sign)
    if whole is None:
        return fault(words.QUANTITY, f"{column} {text!r} is no number")
    if fraction.strip("0"):
        return fault(words.NO_WHOLE_NUMBER, f"{column} {text!r} is no whole number")
    if sign in number:
        mend = words.WHOLE_AS_DECIMAL
    return _within(int(whole), text, words.THOUSANDS if grouped else mend)


def _within(quantity: int, text: str, mend: str) -> Read[int]:
    if abs(quantity) > QUANTITY_MAX:
        return fault(words.TOO_LARGE, f"quantity {text.strip()} is out of the 32-bit range")
    return Read(quantity, mend=mend)


def _price(text: str, sign: str) -> Read[Decimal]:
    number = _bare(text)
    if number.startswith("(") and number.endswith(")"):
        number = f"-{number[1:-1]}"
    if not number:
        return Read(None)
    whole, fraction, _ = _parts(number, sign)
    exact = f"{whole}.{fraction}" if fraction else whole
    if whole is None or exact is None or not _PRICE.match(exact.lstrip("+-")):
        return fault(words.PRICE, f"price {text!r} is no amount of at most four decimals")
    price = Decimal(exact)
    return Read(price or Decimal(0))  # never -0


def _parts(number: str, sign: str) -> tuple[str | None, str, bool]:
    """The whole part and the decimals of a number without what separates thousands, and whether anything did."""
    if _UNGROUPED[sign].match(number) and any(map(str.isdigit, number)):
        whole, _, fraction = number.partition(sign)
        return (whole if whole.strip("+-") else f"{whole}0"), fraction, False
    if _GROUPED[sign].match(number):
        whole, _, fraction = number.partition(sign)
        return re.sub(r"[^0-9+-]", "", whole), fraction, True
    return None, "", False


def _bare(text: str) -> str:
    """Without spaces around it, signs of currencies, and minus signs of other kinds."""
    if text.isascii() and not text.strip("0123456789.-"):
        return text
    number, _ = without_hard_spaces(text)
    return _MONEY.sub("", number.translate(_MINUS)).strip().removeprefix("'")
