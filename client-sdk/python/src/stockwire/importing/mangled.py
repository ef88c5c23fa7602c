"""Skus and numbers as a spreadsheet may leave them: what is certain is mended, the rest is rejected by name. Pure.

Of a column, not of a cell: whether a code has lost its leading zero is seen beside the others.
"""

import re
from collections.abc import Collection, Iterable, Mapping

from stockwire.importing import words
from stockwire.importing.cell import Read, fault
from stockwire.importing.encoding import LOST

GTIN_LENGTHS = (8, 12, 13, 14)

_FORMULA = re.compile(r'="(?P<text>[^"]*)"\Z')
_APOSTROPHE = re.compile(r"'(?=[0-9+=@-])")
_SCIENTIFIC = re.compile(r"[+-]?[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{2,3}\Z")
_DECIMALS = re.compile(r"(?P<whole>[0-9]+)(?P<rest>[.,][0-9]+)\Z")
_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|NV|BEZUG!|WERT!|ZAHL!|SPILL!|CALC!|#+)\Z")
_HARD_SPACES = re.compile("[\u00a0\u2007\u202f\ufeff]+")


def read_codes(texts: Collection[str], what: str, *, keep: bool = False) -> dict[str, Read[str]]:
    """Each text of a column of skus or numbers as the code that it was. ``keep``: as it stands."""
    if keep:
        return {text: Read(text.strip()) for text in texts}
    found = {text: _code(text, what) for text in texts}
    return {**found, **_without_decimals(found, what)}


def lost_zeros_within(skus: Iterable[str]) -> dict[str, str]:
    """Skus that are another of the same file without its leading zeros, or a GTIN without them: what they were.

    A GTIN's last digit is a checksum over the others: where all numbers of a file are sound GTINs, but some that are
    too short and sound with zeros before them, these have lost them.
    """
    digits = {sku for sku in skus if sku.isascii() and sku.isdecimal()}
    padded = _without_zeros(digits)
    return {**_lost_of_gtins(digits), **{sku: padded[sku] for sku in digits if sku in padded}}


def lost_zeros(skus: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Of the skus that are not known, those that are a known one without its leading zeros: which one."""
    all_known = set(known)
    padded = _without_zeros(all_known)
    return {sku: padded[sku] for sku in skus if sku in padded and sku not in all_known}


def _without_decimals(found: Mapping[str, Read[str]], what: str) -> dict[str, Read[str]]:
    """Codes that a spreadsheet took for numbers: it gives all of a column the same zeros. With others they are codes.

    So are those that were written as texts, with an apostrophe or as a formula.
    """
    decimals = {
        text: match
        for text, read in found.items()
        if (match := _DECIMALS.match(read.value or "")) and read.mend not in (words.APOSTROPHE, words.FORMULA)
    }
    endings = {match["rest"] for match in decimals.values()}
    if len(endings) != 1 or endings.pop().strip(".,0"):
        return {}
    if not any(read.value and read.value.isdecimal() for read in found.values()):
        return {text: Read(match["whole"], mend=words.WHOLE_AS_DECIMAL) for text, match in decimals.items()}
    reason = "has decimals, others of the file have none (--keep-codes)"
    return {text: fault(words.DECIMALS_IN_CODE, f"{what} {text!r} {reason}") for text in decimals}


def _without_zeros(skus: Iterable[str]) -> dict[str, str]:
    return {sku.lstrip("0"): sku for sku in skus if sku.startswith("0") and sku.isdecimal() and sku.strip("0")}


def _lost_of_gtins(digits: set[str]) -> dict[str, str]:
    sound = {sku for sku in digits if len(sku) in GTIN_LENGTHS and has_check_digit(sku)}
    short = {sku for sku in digits - sound if len(sku) < max(GTIN_LENGTHS)}
    if len(sound) < len(short) or len(sound) + len(short) < len(digits):
        return {}
    lengths = sorted({len(sku) for sku in sound})
    lost: dict[str, str] = {}
    for sku in short:
        full = next((sku.zfill(length) for length in lengths if length > len(sku)), sku)
        if len(sku) < 6 or full == sku or not has_check_digit(full):
            return {}
        lost[sku] = full
    return lost


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is that of GS1 (General Specifications, 7.9): weights 3 and 1 from the right."""
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return weighted % 10 == 0


def without_hard_spaces(text: str) -> tuple[str, str]:
    """The text without no-break spaces at its ends and with plain ones inside, and the mend if there were any."""
    if text.isascii():
        return text.strip(), ""
    plain = _HARD_SPACES.sub(" ", text).strip()
    return plain, words.HARD_SPACE if plain != text.strip(" \t") else ""


def _code(text: str, what: str) -> Read[str]:
    code, mend = without_hard_spaces(text)
    formula = _FORMULA.match(code)
    if formula:
        code, mend = formula["text"].strip(), words.FORMULA
    elif code.startswith("'") and _APOSTROPHE.match(code):
        code, mend = code[1:].strip(), words.APOSTROPHE
    if _SCIENTIFIC.match(code):
        return fault(words.DIGITS_LOST, f"{what} {text!r}: a spreadsheet has made it a number and its digits are lost")
    if code.startswith("#") and _ERROR.match(code):
        return fault(words.SPREADSHEET_ERROR, f"{what} {text!r} is an error of a spreadsheet")
    if LOST in code:
        return fault(words.CHARACTER_LOST, f"{what} {text!r}: a character could not be read, see --encoding")
    return Read(code, mend=mend)
