"""What an import sends, and in which order: decided by what was sold, never by the file that says it."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.importing import UnreadableFile, read_sheet
from stockwire.importing.counts import without_doubles
from stockwire.importing.invoice import Reject
from stockwire.importing.opening import check_zeros, options_for_opening, read_opening
from stockwire.importing.options import ReadOptions
from stockwire.importing.plan import (
    BODY_BYTES_MAX,
    KEY_CHARACTERS_MAX,
    LINES_PER_OPERATION_MAX,
    Plan,
    import_key,
    make_plan,
)
from stockwire.importing.sheet import parse_sheet
from stockwire.importing.shelf import CHUNK_LINES_MAX, Chunk, chunks, needed
from stockwire.importing.stocklist import StockRow
from stockwire.operation import QUANTITY_MAX

SAMPLE = Path(__file__).parents[3] / "cli" / "sample" / "online-retail-2010-12-01_10.csv.gz"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def text_of(*rows: tuple[str, str, int]) -> str:
    """A minute apart, in the order given: what is sold later is booked later."""
    begin = datetime(2010, 12, 13, 8, 0, tzinfo=UTC)
    return HEADER + "".join(
        f"{number},{sku},NAME OF {sku},{units},{begin + timedelta(minutes=at):%d/%m/%Y %H:%M},1.5,,\n"
        for at, (number, sku, units) in enumerate(rows)
    )


def plan_of(text: str | bytes, location: str = "berlin", receipts: str | None = None) -> Plan:
    content = text.encode() if isinstance(text, str) else text
    return make_plan(parse_sheet([content], ReadOptions(receipts=receipts)), location)


def plan(*rows: tuple[str, str, int], location: str = "berlin") -> Plan:
    return plan_of(text_of(*rows), location, "unique")


def need(made: Plan, moved: dict[str, int] | None = None) -> dict[str, int]:
    return needed((booking.lines for booking in made.bookings), moved)


def accounted(made: Plan) -> int:
    return sum(booking.file_lines for booking in made.bookings) + len(made.rejects)


def outcome(parts: list[Chunk], order: list[int], opened: dict[str, int]) -> tuple[dict[str, int], set[str]]:
    """What a ledger makes of it in this order of requests: stock, and the invoices refused."""
    stock = dict(opened)
    refused = set()
    for booking in (booking for index in order for booking in parts[index].bookings):
        after = dict(stock)
        for line in booking.lines:
            after[line.sku] = after.get(line.sku, 0) + line.quantity
        if any(units < 0 for units in after.values()):
            refused.add(booking.invoice)
        else:
            stock = after
    return stock, refused


def any_order(parts: list[Chunk], seed: int) -> list[int]:
    """An order in which requests may be decided when several are in flight."""
    chance = random.Random(seed)
    done: list[int] = []
    waiting = list(range(len(parts)))
    while waiting:
        free = [index for index in waiting if all(earlier in done for earlier in parts[index].after)]
        done.append(chance.choice(free))
        waiting.remove(done[-1])
    return done


def in_order(made: Plan, opened: dict[str, int]) -> tuple[dict[str, int], set[str]]:
    return outcome([Chunk(made.bookings, ())], [0], opened)


def shuffled_within(parts: list[Chunk], seed: int) -> list[Chunk]:
    """What is not decided at once is sent again behind the others: order within a request must not matter."""
    chance = random.Random(seed)
    return [Chunk(tuple(chance.sample(part.bookings, len(part.bookings))), part.after) for part in parts]


# --- opening stock


def test_needed_is_the_deepest_fall_below_zero_and_no_more() -> None:
    assert need(plan(("1", "A", 5), ("C2", "A", -3), ("3", "A", 4), ("C4", "B", -2), ("5", "B", 1))) == {"A": 6, "B": 0}


def test_what_has_moved_before_needs_nothing() -> None:
    assert need(plan(("1", "A", 5), ("1", "B", 2)), {"A": 100}) == {"B": 2}
    assert need(plan(("1", "A", 5)), {"A": 0}) == {}


def test_an_invoice_that_will_be_refused_needs_nothing() -> None:
    """Else its other goods would be stock out of nothing."""
    made = plan(("1", "A", 5), ("1", "B", 2), ("2", "B", 1))
    assert need(made, {"A": 4}) == {"B": 1}
    assert need(made, {"A": 5}) == {"B": 3}


def test_needed_is_never_more_than_a_level_can_hold() -> None:
    assert need(plan(("1", "A", QUANTITY_MAX), ("2", "A", 5))) == {"A": QUANTITY_MAX}


# --- order

rows = st.lists(
    st.tuples(st.sampled_from(["1", "2", "3", "C4", "C5", "6"]), st.sampled_from("XYZ"), st.integers(1, 9)), max_size=20
).map(lambda drawn: [(number, sku, -units if number.startswith("C") else units) for number, sku, units in drawn])
stocks = st.dictionaries(st.sampled_from("XYZ"), st.integers(0, 12))


@given(rows, stocks, st.integers())
def test_of_what_is_booked_with_what_it_needs_only_that_is_refused_which_was_foreseen(
    drawn: list[tuple[str, str, int]], moved: dict[str, int], seed: int
) -> None:
    made = plan(*drawn)
    opened = {**need(made, moved), **moved}
    parts = chunks(made.bookings, opened)
    stock, refused = outcome(shuffled_within(parts, seed), any_order(parts, seed), opened)
    assert (stock, refused) == in_order(made, opened)
    foreseen = [booking for booking in made.bookings if booking.invoice not in refused]
    assert needed((booking.lines for booking in foreseen), moved) == {
        sku: units for sku, units in need(made, moved).items() if any(sku in skus_of(one.lines) for one in foreseen)
    }
    assert moved or not refused


def skus_of(lines: object) -> set[str]:
    return {line.sku for line in lines}  # type: ignore[attr-defined]  # lines of a booking


@given(rows, stocks, st.integers())
def test_with_any_stock_the_same_invoices_are_refused_in_whatever_order_answers_come(
    drawn: list[tuple[str, str, int]], stock: dict[str, int], seed: int
) -> None:
    made = plan(*drawn)
    parts = chunks(made.bookings, stock)
    assert outcome(shuffled_within(parts, seed), any_order(parts, seed), stock) == in_order(made, stock)
    assert [booking for part in parts for booking in part.bookings] == list(made.bookings)
    assert accounted(made) == made.lines_read == len(drawn)


def test_what_the_shelf_holds_goes_in_few_requests_and_what_is_short_waits() -> None:
    made = plan(*((str(number), "A", 1) for number in range(600)))
    assert [len(part.bookings) for part in chunks(made.bookings, {"A": 600})] == [CHUNK_LINES_MAX, 100]
    short = chunks(made.bookings, {"A": 599})
    assert [part.after for part in short[:3]] == [(), (0,), (1,)]


# --- the same sales are the same operations, whatever became of the file


def test_a_file_that_has_grown_been_sorted_or_saved_otherwise_gives_the_same_operations() -> None:
    rows = [("1", "A", 2), ("1", "B", 1), ("2", "A", 3), ("C3", "A", -1), ("1", "A", 4)]
    text = text_of(*rows)
    first = plan_of(text).bookings
    lines = text.splitlines()
    for other in (
        text.replace("\n", "\r\n"),
        text.encode("utf-16"),
        text.encode("utf-8-sig"),
        "\n".join([lines[0], *reversed(lines[1:])]),
        "\n".join([lines[0], *sorted(lines[1:], key=lambda line: line.split(",")[1])]),
        "\n".join(";".join(line.split(",")) for line in lines),
    ):
        again = plan_of(other).bookings
        assert [(one.key, one.lines) for one in again] == [(one.key, one.lines) for one in first]
    grown = plan_of(text_of(*rows, ("4", "A", 1), ("5", "C", 1))).bookings
    assert [(one.key, one.lines) for one in grown[:3]] == [(one.key, one.lines) for one in first]


def test_numbers_that_begin_again_each_day_are_sales_of_their_day_whatever_else_the_file_holds() -> None:
    monday = "1,A,X,1,02/11/2026 08:26,1.5,,\n"
    tuesday = "1,A,X,1,03/11/2026 08:26,1.5,,\n"
    week = plan_of(HEADER + monday + tuesday, receipts="daily").bookings
    assert [one.key for one in week] == ["import-daily:berlin:2026-11-02:1", "import-daily:berlin:2026-11-03:1"]
    for one, day in zip(week, (monday, tuesday), strict=True):
        assert [booking.key for booking in plan_of(HEADER + day, receipts="daily").bookings] == [one.key]
    (whole,) = plan_of(HEADER + monday + tuesday, receipts="unique").bookings
    assert (whole.key, whole.file_lines) == ("import:berlin:1", 2)
    assert whole.other_keys == tuple(one.key for one in week)
    assert week[0].other_keys == (whole.key,)


def test_where_numbers_may_begin_again_and_nobody_has_said_it_is_asked() -> None:
    header = "Number,SKU,Quantity,Date\n"
    with pytest.raises(UnreadableFile, match=r"number 1 stands on 2026-11-02 \(line 2\).*--receipts daily"):
        plan_of(f"{header}1,A,1,2026-11-02\n2,A,1,2026-11-02\n1,A,1,2026-11-03\n")
    sheet = parse_sheet([f"{header}1,A,1,2026-11-02\n".encode()])
    assert any("--receipts daily" in reading for reading in sheet.readings)


# --- the operations themselves


def test_repeated_skus_of_an_invoice_add_up_and_are_counted_as_lines() -> None:
    made = plan(("1", "A", 2), ("1", "B", 1), ("1", "A", 3))
    (booking,) = made.bookings
    assert [(line.sku, line.quantity) for line in booking.lines] == [("A", -5), ("B", -1)]
    assert booking.file_lines == 3
    assert booking.key == "import:berlin:1"


def test_the_sample_plans_the_same_twice_and_every_line_is_accounted_for() -> None:
    made = make_plan(read_sheet(SAMPLE), "shop")
    assert made == make_plan(read_sheet(SAMPLE), "shop")
    assert accounted(made) == made.lines_read == 25_281
    opened = need(made)
    parts = chunks(made.bookings, opened)
    assert outcome(parts, any_order(parts, 1), opened)[1] == set()
    assert len({booking.key for booking in made.bookings}) == 1_160


def test_an_invoice_beyond_what_is_atomic_is_rejected_whole_and_needs_no_stock() -> None:
    large = [("1", f"S{number}", 1) for number in range(LINES_PER_OPERATION_MAX + 1)]
    made = plan(*large, ("2", "A", 1))
    assert [booking.invoice for booking in made.bookings] == ["2"]
    assert need(made) == {"A": 1}
    assert len(made.rejects) == LINES_PER_OPERATION_MAX + 1
    assert "1001 different lines" in made.rejects[0].reason
    repeated = plan(*[("1", f"S{number % 1000}", 1) for number in range(5_000)])
    assert repeated.bookings[0].file_lines == 5_000


def test_an_invoice_whose_body_no_ledger_takes_is_rejected_whole() -> None:
    made = plan(*[("1", f"{'漢' * 60}{number}", 1) for number in range(1_000)], location="東" * 64)
    assert not made.bookings
    assert f"{BODY_BYTES_MAX}" in made.rejects[0].reason
    assert accounted(made) == 1_000


def test_what_was_another_sku_before_a_spreadsheet_had_it_is_rejected() -> None:
    sheet = parse_sheet([text_of(("1", "123", 1), ("2", "B", 1)).encode()])
    made = make_plan(sheet, "berlin", {"123": "00123"})
    assert [line.sku for line in made.bookings[0].lines] == ["B"]
    assert "00123" in made.rejects[0].reason
    assert set(made.items) == {"B"}


def test_write_offs_give_their_remark_as_reason_and_no_name() -> None:
    made = plan(("1", "A", -3))
    assert made.bookings[0].lines[0].reason == "NAME OF A"
    assert made.items == {"A": None}


def test_keys_are_visible_ascii_never_confused_and_never_too_long() -> None:
    assert import_key("berlin", "536365") == "import:berlin:536365"
    assert import_key("a:b", "c") != import_key("a", "b:c")
    assert import_key("a", "2026-11-02:1") != import_key("a", "1", date(2026, 11, 2))
    long = import_key("東" * 64, "1" * 64)
    assert len(long) <= KEY_CHARACTERS_MAX
    assert long != import_key("東" * 64, "2" * 64)
    assert long != import_key("東" * 64, "1" * 64, date(2026, 11, 2))
    assert all("!" <= character <= "~" for character in import_key("münchen", '"x%') + long)


def test_an_opening_file_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "opening.csv"
    path.write_text("\ufeffon_hand, SKU\n5,A\n\n0,B\n", encoding="utf-8")
    assert read_opening(path).on_hand == {"A": 5, "B": 0}
    for text in (
        "",
        "A,5\n",
        "sku,on_hand\nA,-1\n",
        "sku,on_hand\nA,2147483648\n",
        "sku,on_hand\nA,1\nA,2\n",
        "sku,on_hand\nA/B,1\n",
        "sku,on_hand\nA\n",
        'sku,on_hand\n"A,1\n',
    ):
        path.write_text(text)
        with pytest.raises(UnreadableFile):
            read_opening(path)


def test_what_is_told_of_the_sales_holds_for_their_opening_file(tmp_path: Path) -> None:
    path = tmp_path / "opening.csv"
    told = options_for_opening(ReadOptions(only_location="Main", keep_codes=True, dates="dmy"))
    path.write_text("sku,on_hand,location\nA,5,Main\nA,7,Depot\n")
    assert read_opening(path, told).on_hand == {"A": 5}
    path.write_text("sku,on_hand\n'1,5.0\n")
    kept = read_opening(path, told)
    assert (kept.on_hand, kept.mends) == ({"'1": 5}, {"6.0 taken as 6": 1})


def test_an_opening_file_that_lost_zeros_is_refused_and_not_booked_as_another_sku() -> None:
    check_zeros({"123", "B"}, {"B", "C"})
    with pytest.raises(UnreadableFile, match="has 123, which is 00123"):
        check_zeros({"123", "B"}, {"00123"})


def test_times_of_an_operation_are_the_first_of_its_lines() -> None:
    (booking,) = plan(("1", "A", 2), ("1", "A", 3)).bookings
    assert booking.lines[0].occurred_at == datetime(2010, 12, 13, 8, 0, tzinfo=UTC)


def test_a_sale_that_a_file_holds_with_the_zeros_of_its_number_and_without_is_booked_once() -> None:
    at = "02/11/2026 08:26,1.5,,\n"
    twice = plan_of(f"{HEADER}123,A,X,1,{at}000123,A,X,1,{at}")
    assert [(one.invoice, one.file_lines) for one in twice.bookings] == [("000123", 1)]
    assert [(one.line, one.word, one.column) for one in twice.rejects] == [(2, "leading zero lost", "number")]
    assert accounted(twice) == 2
    apart = plan_of(f"{HEADER}12,A,X,1,{at}0012,A,X,2,{at}")
    assert {one.invoice for one in apart.bookings} == {"12", "0012"}


def test_a_file_without_names_keeps_its_prices() -> None:
    made = plan_of("number,sku,quantity,at,price\n1,A,1,2026-11-02,2.5\n")
    kept = made.items["A"]
    assert kept is not None
    assert (kept.name, kept.price) == ("", Decimal("2.5"))


def test_a_level_is_counted_once_whether_a_line_names_its_location_or_not() -> None:
    rows = [("berlin", StockRow(2, "A", "Main", 10, "", "")), ("berlin", StockRow(3, "A", None, 5, "", ""))]
    rejects: list[Reject] = []
    assert without_doubles(rows, rejects) == rows[:1]
    assert [(one.line, one.word) for one in rejects] == [(3, "twice")]
