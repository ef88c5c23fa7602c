"""A number of digits alone, with the zeros that a spreadsheet takes from it, and without them. Pure."""

NUMBER_DIGITS_MAX = 12
"""Up to which length a number may have had zeros before it. Each length more is another key to ask for; the running
numbers of tills and shops are shorter."""


def zero_forms(number: str) -> list[str]:
    """What a number of digits alone is in a file that has kept its zeros, or lost them; not itself."""
    digits, refund, rest = number.partition(" refund ")
    if not (digits.isascii() and digits.isdecimal()):
        return []
    if digits != without_zeros(digits):
        return [without_zeros(digits) + refund + rest]
    return [digits.zfill(length) + refund + rest for length in range(len(digits) + 1, NUMBER_DIGITS_MAX + 1)]


def without_zeros(number: str) -> str:
    digits, refund, rest = number.partition(" refund ")
    return (digits.lstrip("0") or "0") + refund + rest if digits.isascii() and digits.isdecimal() else number
