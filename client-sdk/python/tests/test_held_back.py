"""An invoice is not booked without a line that cannot be read: mended, it must still be bookable, whole and once."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.importing.options import ReadOptions
from stockwire.importing.plan import Plan, make_plan
from stockwire.importing.sheet import parse_sheet
from stockwire.importing.shelf import needed, needed_at_first
from stockwire.operation import QUANTITY_MAX

HEADER = "number,sku,quantity,at,name,location,type,status"
AT = "2026-11-02T10:00:00Z"


def row(number: str = "1", sku: str = "A", quantity: object = 1, at: str = AT, rest: str = "Mug,,,") -> str:
    return f"{number},{sku},{quantity},{at},{rest}"


def plan(*rows: str, receipts: str | None = "unique", header: str = HEADER, location: str | None = None) -> Plan:
    text = "".join(f"{line}\n" for line in (header, *rows))
    return make_plan(parse_sheet([text.encode()], ReadOptions(receipts=receipts, only_location=location)), "berlin")


def booked(made: Plan) -> list[str]:
    return [booking.invoice for booking in made.bookings]


def words_of(made: Plan) -> list[tuple[int, str]]:
    return [(reject.line, reject.word) for reject in made.rejects]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (row(quantity="six"), "quantity"),
        (row(quantity="1.5"), "no whole number"),
        (row(quantity=QUANTITY_MAX + 1), "too large"),
        (row(at="31.02.2026"), "date"),
        (row(at=""), "date"),
        (row(sku="A/1"), "sku"),
        (row(sku="1.2E+12"), "digits lost"),
        (row(sku="#N/A"), "spreadsheet error"),
        ("1,A,1", "no sound line of the table"),
        (row(rest="Mug, white,,,paid"), "no sound line of the table"),
        (row(rest="Mug, white,,,paid, twice"), "no sound line of the table"),
        (row(rest='"Mug,,,'), "no sound line of the table"),
        (row(rest='Mug "white",,,').replace("1,", '"1",', 1) + '"', "no sound line of the table"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_while_a_line_is_rejected_nothing_of_its_invoice_is_booked_wherever_the_line_stands(
    line: str, word: str, place: int
) -> None:
    rows = [row(sku="B"), row("2"), row(sku="C")]
    rows.insert(place, line)
    made = plan(*rows)
    assert booked(made) == ["2"]
    assert len(made.held) == 1
    assert dict(words_of(made))[place + 2] == word
    assert sorted(word for _, word in words_of(made)) == sorted([word, "held back", "held back"])
    held = next(reject for reject in made.rejects if reject.word == "held back")
    assert held.reason.startswith(f"held back: line {place + 2} of its invoice 1 was rejected (")
    assert held.original == rows[held.line - 2]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (row(sku=""), "no sku"),
        (row(quantity=0), "quantity is 0"),
        (row(quantity="six", rest="Mug,Depot,,"), "another location"),
        ("", "empty line"),
        (row("", sku=""), "number"),
        (row("", quantity=0), "number"),
        (row("1" * 65), "number"),
        (row("3", quantity="six"), "quantity"),
    ],
)
def test_what_moves_no_goods_or_names_no_invoice_holds_none_back(line: str, word: str) -> None:
    made = plan(row(rest="Mug,Main,,"), line.replace("Mug,,", "Mug,Main,"), row(rest="Mug,Main,,"), location="Main")
    assert booked(made) == ["1"]
    assert (words_of(made), made.held) == ([(3, word)], ())


def test_postage_and_what_was_cancelled_hold_nothing_back_and_a_sale_among_returns_does() -> None:
    cancelled = plan(f"1,A,1,{AT},", f"1,B,six,{AT},{AT}", header="number,sku,quantity,at,cancelled")
    assert (booked(cancelled), words_of(cancelled)) == (["1"], [(3, "left out")])
    retail = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice"
    made = plan(f"1,A,X,1,{AT},1", f"1,POST,X,six,{AT},1", f"C2,A,X,-1,{AT},1", f"C2,B,X,1,{AT},1", header=retail)
    assert booked(made) == ["1"]
    assert words_of(made) == [(3, "no goods"), (4, "held back"), (5, "sign")]


def test_a_refund_and_the_sale_of_its_number_do_not_hold_each_other_back() -> None:
    square = "Transaction ID,SKU,Qty,Date,Time,Item,Price Point Name,Event Type"
    rows = ["T1,A,2,2026-11-02,10:00,Mug,Regular,Payment", "T1,A,-1,2026-11-03,10:00,Mug,Regular,Refund"]
    for line, kept in (
        ("T1,B,x,2026-11-03,10:00,Pot,Regular,Refund", "T1"),
        ("T1,B,-1,2026-11-03,late,Pot,Regular,Refund", "T1"),
        ("T1,B,1.5,2026-11-02,10:00,Pot,Regular,Refund", "T1"),
    ):
        made = plan(*rows, line, header=square)
        assert (booked(made), len(made.held)) == ([kept], 1)
    assert booked(plan(*rows, "T1,B", header=square)) == []
    for either in ("x", "-1.5"):  # what is no refund by its type may be one by its sign
        assert booked(plan(*rows, f"T1,B,{either},2026-11-03,10:00,Pot,Regular,Payment", header=square)) == []


def test_a_line_without_a_number_may_be_of_the_invoice_above_it_and_holds_that_one_back() -> None:
    """Reports write a number once. Booked without its other lines, an invoice could never get them."""
    made = plan(row("7"), row("", "B"), row("8"), row("", "", "", "", "Total,,,"), row("9"), row("", "C", at=""))
    assert booked(made) == ["8"]
    assert words_of(made) == [(2, "held back"), (3, "number"), (5, "number"), (6, "held back"), (7, "number")]
    mended = plan(row("7"), row("7", "B"), row("8"), row("9"), row("9", "C"))
    assert booked(mended) == ["7", "8", "9"]
    days = [row("1", at="2026-11-02"), row("1", at="2026-11-03"), row("", "B", at="")]
    assert [booking.day for booking in plan(*days, receipts="daily").bookings] == [date(2026, 11, 2)]
    assert booked(plan(row("", "B"), row("1"))) == ["1"]
    retail = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice"
    assert booked(plan(f"1,A,X,1,{AT},1", f",POST,X,1,{AT},1", header=retail)) == ["1"]


def test_a_line_of_no_location_holds_back_what_has_its_number_at_the_location_that_is_imported() -> None:
    rows = [row(rest="Mug,Main,,"), row("2", rest="Mug,Main,,"), row("3", rest="Mug,,,"), row("4", rest="Mug,Depot,,")]
    for line, kept in ((row(sku="B"), ["2"]), (row(sku=""), ["1", "2"]), (row(sku="B", quantity=0), ["1", "2"])):
        assert booked(plan(*rows, line, location="Main")) == kept
    assert booked(plan(*rows, row("4", rest="Mug,Main,,"), location="Main")) == ["1", "2", "4"]


def test_between_commas_before_and_behind_the_number_is_found() -> None:
    header = "name,number,sku,quantity,at,note"
    assert booked(plan(f"Mug,7,A,2,{AT},x", f"Pot, white,7,B,1,{AT},a, b", header=header)) == []


def test_long_numbers_that_begin_alike_are_found_each_by_itself() -> None:
    """Looked through one by one, 100,000 lines of a shop whose numbers are addresses took many minutes."""
    shop = "shop.example.com:orders:2026:11:02:berlin:"
    rows = [row(f"{shop}{number}", quantity=units) for number in range(10_000) for units in (1, "x")]
    begun = time.process_time()
    made = plan(*rows)
    assert (len(made.bookings), len(made.held)) == (0, 10_000)
    assert time.process_time() - begun < 10.0, "half a second; one by one it is half a minute"


def test_where_numbers_begin_again_only_the_days_are_held_back_that_the_line_may_be_of() -> None:
    rows = [row(at="2026-11-02"), row(at="2026-11-03"), row("2", at="2026-11-03")]
    for line, kept in (
        (row(quantity="x", at="2026-11-03"), [("1", date(2026, 11, 2)), ("2", date(2026, 11, 3))]),
        (row(at="2026-11-31"), [("2", date(2026, 11, 3))]),
    ):
        made = plan(*rows, line, receipts="daily")
        assert [(booking.invoice, booking.day) for booking in made.bookings] == kept


def test_what_is_rejected_only_once_the_whole_invoice_is_known_holds_it_back_too() -> None:
    sums = plan(row(quantity=QUANTITY_MAX), row(), row(sku="B"), row("2"))
    assert (booked(sums), len(sums.held)) == (["2"], 1)
    assert words_of(sums) == [(2, "too large"), (3, "too large"), (4, "held back")]
    sheet = parse_sheet(["\n".join([HEADER, row(sku="123"), row(sku="B"), row("2")]).encode()])
    zeros = make_plan(sheet, "berlin", {"123": "00123"})
    assert (booked(zeros), words_of(zeros)) == (["2"], [(2, "leading zero lost"), (3, "held back")])


def test_an_invoice_of_which_every_line_is_rejected_is_not_counted_as_held_back() -> None:
    made = plan(row(quantity="x"), row(quantity="y"))
    assert (words_of(made), made.held) == ([(2, "quantity"), (3, "quantity")], ())


spoilt = st.sampled_from(["six", "1.5", ""])
lines = st.lists(st.tuples(st.sampled_from("123456"), st.sampled_from("XYZ"), st.integers(1, 9), spoilt | st.none()))


@given(lines)
def test_the_mended_file_books_what_was_held_back_whole_and_everything_else_as_before(
    drawn: list[tuple[str, str, int, str | None]],
) -> None:
    first = plan(*(row(number, sku, units if bad is None else bad) for number, sku, units, bad in drawn))
    mended = plan(*(row(number, sku, units) for number, sku, units, _ in drawn))
    incomplete = {number for number, _, _, bad in drawn if bad is not None}
    assert [one for one in mended.bookings if one.invoice not in incomplete] == list(first.bookings)
    assert sum(one.file_lines for one in first.bookings) + len(first.rejects) == len(drawn) == first.lines_read


def test_opening_stock_of_what_moves_now_is_enough_for_what_was_held_back_too() -> None:
    """A sku is opened once: the mended invoice would be refused for ever."""
    rows = [row("1", "A", 2), row("1", "B", 1), row("2", "A", 5), row("C3", "A", -4)]
    made = plan(*rows, row("1", "C", "six"), row("C3", "A", "-x"), row("4", "A", 3, at="late"), row("4", "B", 1))
    assert booked(made) == ["2"]
    assert needed_at_first(made.bookings, made.held, {}) == {"A": 5 + 2 + 3}
    assert needed_at_first(made.bookings, (), {}) == needed(booking.lines for booking in made.bookings) == {"A": 5}
    assert needed_at_first(made.bookings, made.held, {"A": 5}) == {}
