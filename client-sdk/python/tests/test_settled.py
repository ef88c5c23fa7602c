"""Which invoices were decided before: nothing is booked twice, and nothing new is taken for something old."""

from datetime import UTC, datetime

from stockwire.errors import OutOfStock
from stockwire.importing.options import ReadOptions
from stockwire.importing.plan import Booking, make_plan
from stockwire.importing.settled import BEFORE, keys_to_ask, settle, zero_keys_to_ask
from stockwire.importing.sheet import parse_sheet
from stockwire.importing.zeros import NUMBER_DIGITS_MAX
from stockwire.operation import Line, Outcome

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice\n"
MONDAY, TUESDAY = "02/11/2026 08:26", "03/11/2026 09:15"


def bookings_of(*rows: tuple[str, str, int, str], receipts: str = "unique") -> tuple[Booking, ...]:
    text = HEADER + "".join(f"{number},{sku},X,{units},{at},1.5\n" for number, sku, units, at in rows)
    return make_plan(parse_sheet([text.encode()], ReadOptions(receipts=receipts)), "berlin").bookings


def stored(key: str, *lines: Line, error: OutOfStock | None = None) -> dict[str, Outcome]:
    return {key: Outcome(key, None if error else "id", replayed=True, error=error, lines=lines)}


def sold(sku: str, units: int, day: int, hour: int, minute: int) -> Line:
    return Line(sku, "berlin", -units, "sale", occurred_at=datetime(2026, 11, day, hour, minute, tzinfo=UTC))


def test_the_same_goods_in_another_order_are_the_same_invoice() -> None:
    (booking,) = bookings_of(("1", "A", 2, MONDAY), ("1", "B", 1, MONDAY))
    settled = settle([booking], stored(booking.key, sold("B", 1, 2, 8, 26), sold("A", 2, 2, 8, 26)))
    assert (settled.todo, settled.applied, settled.refused) == ((), 2, ())


def test_other_goods_or_another_time_under_its_key_are_another_invoice_and_are_said() -> None:
    (booking,) = bookings_of(("1", "A", 2, MONDAY))
    for lines in ([sold("A", 3, 2, 8, 26)], [sold("B", 2, 2, 8, 26)], [sold("A", 2, 2, 8, 27)]):
        settled = settle([booking], stored(booking.key, *lines))
        assert (settled.todo, settled.applied) == ((), 0)
        assert settled.refused[0].word == BEFORE
        assert "--receipts daily" not in settled.refused[0].reason


def test_a_number_of_another_day_says_how_numbers_that_begin_again_are_told() -> None:
    (booking,) = bookings_of(("1", "A", 2, TUESDAY))
    settled = settle([booking], stored(booking.key, sold("A", 2, 2, 8, 26)))
    assert "2026-11-02" in settled.refused[0].reason
    assert "--receipts daily" in settled.refused[0].reason


def test_what_was_refused_before_is_still_refused_and_needs_no_stock() -> None:
    (booking,) = bookings_of(("1", "A", 2, MONDAY))
    refusal = OutOfStock("A", "berlin", 2, 1)
    settled = settle([booking], stored(booking.key, sold("A", 2, 2, 8, 26), error=refusal))
    assert (settled.todo, settled.applied) == ((), 0)
    assert settled.refused[0].reason == str(refusal)


def test_what_one_reading_of_numbers_has_booked_the_other_finds() -> None:
    """An import that was run without --receipts daily first, or with it."""
    monday = sold("A", 2, 2, 8, 26)
    for first, second in (("unique", "daily"), ("daily", "unique")):
        (before,) = bookings_of(("1", "A", 2, MONDAY), receipts=first)
        (again,) = bookings_of(("1", "A", 2, MONDAY), receipts=second)
        assert before.key in keys_to_ask([again])
        assert settle([again], stored(before.key, monday)).applied == 1


def test_after_the_change_to_daily_the_next_days_receipts_are_new() -> None:
    (tuesday,) = bookings_of(("1", "A", 2, TUESDAY), receipts="daily")
    assert settle([tuesday], stored("import:berlin:1", sold("A", 2, 2, 8, 26))).todo == (tuesday,)


def test_a_receipt_that_changed_since_it_was_booked_under_the_other_reading_is_refused() -> None:
    (changed,) = bookings_of(("1", "A", 3, MONDAY), receipts="daily")
    assert settle([changed], stored("import:berlin:1", sold("A", 2, 2, 8, 26))).refused[0].word == BEFORE


def test_what_an_older_version_has_booked_as_one_is_not_booked_again_day_by_day() -> None:
    """It summed all that a file had of a number, under the time of the first line."""
    week = bookings_of(("1", "A", 2, MONDAY), ("1", "A", 3, TUESDAY), ("1", "B", 1, TUESDAY), receipts="daily")
    merged = stored("import:berlin:1", sold("A", 5, 2, 8, 26), sold("B", 1, 3, 9, 15))
    settled = settle(week, merged)
    assert (settled.todo, settled.applied, settled.refused) == ((), 3, ())


def test_a_number_that_a_spreadsheet_took_its_zeros_from_is_the_sale_that_was_booked_with_them() -> None:
    """And the other way round, and under the other reading of numbers."""
    monday = sold("A", 2, 2, 8, 26)
    for first, second in (("000123", "123"), ("123", "000123"), ("0", "000")):
        for one, other in (("unique", "unique"), ("daily", "daily"), ("unique", "daily"), ("daily", "unique")):
            (before,) = bookings_of((first, "A", 2, MONDAY), receipts=one)
            (again,) = bookings_of((second, "A", 2, MONDAY), receipts=other)
            assert before.key not in keys_to_ask([again])
            assert before.key in zero_keys_to_ask([again])
            settled = settle([again], stored(before.key, monday))
            assert (settled.todo, settled.applied, settled.refused) == ((), 1, ())


def test_a_number_with_zeros_and_one_without_are_two_sales_where_goods_or_times_differ() -> None:
    for lines in ([sold("A", 3, 2, 8, 26)], [sold("B", 2, 2, 8, 26)], [sold("A", 2, 2, 8, 27)]):
        (booking,) = bookings_of(("12", "A", 2, MONDAY))
        settled = settle([booking], stored("import:berlin:0012", *lines))
        assert (settled.todo, settled.applied, settled.refused) == ((booking,), 0, ())


def test_only_numbers_of_digits_alone_are_asked_for_with_zeros_and_not_without_end() -> None:
    bookings = bookings_of(("C12", "A", -2, MONDAY), ("1" * 13, "A", 2, MONDAY), ("12-1", "A", 2, MONDAY))
    assert zero_keys_to_ask(bookings) == []
    assert len(zero_keys_to_ask(bookings_of(("1", "A", 2, MONDAY)))) == 2 * (NUMBER_DIGITS_MAX - 1)
