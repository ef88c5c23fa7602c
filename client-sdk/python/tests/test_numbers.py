"""Quantities and prices: a comma is never taken for a point in silence, and half a unit never for a whole one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.importing import UnreadableFile, words
from stockwire.importing.numbers import find_decimals, read_prices, read_quantities, unit_price


@pytest.mark.parametrize(
    ("text", "sign", "quantity", "mend"),
    [
        ("6", ".", 6, ""),
        (" +6 ", ".", 6, ""),
        ("-6", ".", -6, ""),
        ("6.0", ".", 6, words.WHOLE_AS_DECIMAL),
        ("6,00", ",", 6, words.WHOLE_AS_DECIMAL),
        ("1,000", ".", 1000, words.THOUSANDS),
        ("1.000", ",", 1000, words.THOUSANDS),
        ("1 000", ",", 1000, words.THOUSANDS),
        ("1\u202f000,0", ",", 1000, words.THOUSANDS),
        ("1'000", ".", 1000, words.THOUSANDS),
        ("\u22122", ".", -2, words.MINUS),
        ("(2)", ".", -2, words.MINUS),
        ("'2", ".", 2, words.APOSTROPHE),
        ('="2"', ".", 2, words.FORMULA),
        ("\u00a03", ".", 3, words.HARD_SPACE),
    ],
)
def test_a_quantity_is_mended_where_that_is_certain(text: str, sign: str, quantity: int, mend: str) -> None:
    read = read_quantities([text], sign, "quantity")[text]
    assert (read.value, read.mend, read.word) == (quantity, mend, "")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", words.QUANTITY),
        ("six", words.QUANTITY),
        ("1_000", words.QUANTITY),
        ("٣", words.QUANTITY),
        ("1,00", words.QUANTITY),
        ("1,0000", words.QUANTITY),
        ("--2", words.QUANTITY),
        ("-", words.QUANTITY),
        (".", words.QUANTITY),
        ("6.5", words.NO_WHOLE_NUMBER),
        ("1E+03", words.DIGITS_LOST),
        ("#VALUE!", words.SPREADSHEET_ERROR),
        ("2147483648", words.TOO_LARGE),
        ("9" * 400, words.TOO_LARGE),
    ],
)
def test_what_is_no_quantity_is_rejected_by_name(text: str, word: str) -> None:
    assert read_quantities([text], ".", "quantity")[text].word == word


@pytest.mark.parametrize(
    ("text", "sign", "price"),
    [
        ("2.55", ".", "2.55"),
        ("$1,250.50", ".", "1250.50"),
        ("1.250,50 €", ",", "1250.50"),
        ("EUR 3", ".", "3"),
        ("CHF 1'250.00", ".", "1250.00"),
        ("(2.00)", ".", "-2.00"),
        ("-$2.00", ".", "-2.00"),
        (".5", ".", "0.5"),
        ("0.00", ".", "0"),
        ("-0", ".", "0"),
        ("", ".", None),
    ],
)
def test_prices_with_their_signs(text: str, sign: str, price: str | None) -> None:
    read = read_prices([text], sign)[text]
    assert (read.value, read.word) == (None if price is None else Decimal(price), "")


@pytest.mark.parametrize("text", ["free", "1.23456", "1,25", "1E5", "12345678901"])
def test_what_is_no_price_is_told(text: str) -> None:
    assert read_prices([text], ".")[text].word == words.PRICE


def written(amount: Decimal, sign: str, *, grouped: bool) -> str:
    text = f"{amount:,}" if grouped else str(amount)
    return text if sign == "." else text.translate(str.maketrans(",.", ".,"))


amounts = st.decimals(min_value=0, max_value=9_999_999, places=2) | st.integers(0, 9_999_999).map(Decimal)


@given(st.lists(st.tuples(amounts, st.booleans()), min_size=1, max_size=8), st.sampled_from(".,"))
def test_amounts_are_never_taken_for_others_in_silence(given_amounts: list[tuple[Decimal, bool]], sign: str) -> None:
    texts = [written(amount, sign, grouped=grouped) for amount, grouped in given_amounts]
    try:
        found = find_decimals({text: number for number, text in enumerate(texts)}, None)
    except UnreadableFile:
        return
    read = read_prices(texts, found.sign)
    assert [read[text].value for text in texts] == [amount for amount, _ in given_amounts]


def test_what_can_be_read_in_two_ways_is_asked_about() -> None:
    with pytest.raises(UnreadableFile, match=r"'1\.000' \(line 4\) can be a thousand or a fraction.*--decimal"):
        find_decimals({"1.000": 4, "7": 5}, None)
    with pytest.raises(UnreadableFile, match=r"'2\.50' \(line 1\) and '2,50' \(line 2\)"):
        find_decimals({"2.50": 1, "2,50": 2}, None)
    assert find_decimals({"1.000": 4, "2,50": 5}, None).sign == ","
    assert find_decimals({"1.000": 4}, ".").sign == "."


def test_a_price_of_one_unit_only_where_the_total_is_a_whole_number_of_them() -> None:
    assert unit_price(Decimal("32.00"), 2) == Decimal(16)
    assert unit_price(Decimal("10.00"), 3) is None
    assert unit_price(None, 3) is None


def test_a_decimal_sign_that_no_number_shows_is_not_decided() -> None:
    assert not find_decimals({"7": 2, "1 000": 3}, None).decided
    assert find_decimals({"2.50": 2}, None).decided
    assert find_decimals({}, ",").decided
