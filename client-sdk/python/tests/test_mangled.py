"""Codes that a spreadsheet has had: mended where certain, else rejected by name; a sound code stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.importing import words
from stockwire.importing.mangled import has_check_digit, lost_zeros, lost_zeros_within, read_codes


@pytest.mark.parametrize(
    ("text", "code", "mend"),
    [
        ("'00123", "00123", words.APOSTROPHE),
        ('="00123"', "00123", words.FORMULA),
        ("\u00a000123\u00a0", "00123", words.HARD_SPACE),
        (" 00123 ", "00123", ""),
        ("1E5", "1E5", ""),
        ("12E+05", "12E+05", ""),
        ("'TIS-1", "'TIS-1", ""),
        ("#1001", "#1001", ""),
        ("A=1", "A=1", ""),
    ],
)
def test_a_code_is_mended_only_where_that_is_certain(text: str, code: str, mend: str) -> None:
    read = read_codes([text], "sku")[text]
    assert (read.value, read.mend, read.word) == (code, mend, "")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("1.2E+12", words.DIGITS_LOST),
        ("1,23457E+12", words.DIGITS_LOST),
        ("1E+05", words.DIGITS_LOST),
        ("1.2345678901234568e+17", words.DIGITS_LOST),
        ("#N/A", words.SPREADSHEET_ERROR),
        ("####", words.SPREADSHEET_ERROR),
        ("CAF\ufffd", words.CHARACTER_LOST),
    ],
)
def test_a_code_that_is_lost_is_rejected_by_name(text: str, word: str) -> None:
    assert read_codes([text], "sku")[text].word == word


def test_decimals_go_only_where_no_code_is_without() -> None:
    alone = read_codes(["777.0", "888.0", "A-1"], "sku")
    assert [alone[text].value for text in ("777.0", "888.0", "A-1")] == ["777", "888", "A-1"]
    assert read_codes(["777.0", "888"], "sku")["777.0"].word == words.DECIMALS_IN_CODE


@pytest.mark.parametrize(
    "codes",
    [("100.00", "100.10"), ("1.0", "1.00"), ("1.0", "1,0"), ("100.0", "100", "100.1"), ("'100.0",), ('="1.0"',)],
)
def test_codes_with_decimals_of_their_own_stay_as_they_are(codes: tuple[str, ...]) -> None:
    read = read_codes(codes, "sku")
    assert [read[code].value for code in codes] == [code.strip("'=\"") for code in codes]


def test_codes_are_kept_as_they_stand_if_told_so() -> None:
    texts = ["1.2E+12", "'00123", "777.0", "#N/A"]
    assert [read.value for read in read_codes(texts, "sku", keep=True).values()] == texts


@given(st.sets(st.from_regex(r"[A-Z][A-Z0-9-]{0,12}", fullmatch=True), max_size=20))
def test_sound_codes_stay_as_they_are(codes: set[str]) -> None:
    read = read_codes(codes, "sku")
    assert {text: one.value for text, one in read.items()} == {code: code for code in codes}
    assert not any(one.mend or one.word for one in read.values())
    assert lost_zeros_within(codes) == {}


def test_a_leading_zero_is_missed_beside_the_code_that_has_it() -> None:
    assert lost_zeros_within({"123", "00123", "B-1", "7"}) == {"123": "00123"}
    assert lost_zeros(["123", "7", "B-1"], ["00123", "7", "007"]) == {"123": "00123"}
    assert lost_zeros_within({"0", "00", "1"}) == {}


def test_a_leading_zero_is_missed_by_the_check_digit_of_its_kind() -> None:
    upc = {"036000291452", "725272730706", "885909950805"}
    assert all(map(has_check_digit, upc))
    assert lost_zeros_within(upc | {"12345678905"}) == {"12345678905": "012345678905"}
    assert lost_zeros_within(upc | {"12345678905", "536"}) == {}  # other numbers: these are no GTINs only
    assert lost_zeros_within({"12345678905"}) == {}  # and alone it may be anything
    assert lost_zeros_within({"1001", "1002", "10003"}) == {}
