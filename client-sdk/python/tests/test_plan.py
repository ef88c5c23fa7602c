"""What an import sends, and in which order, is a function of the file."""

import random
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.importing import UnreadableFile, read_sheet
from stockwire.importing.opening import Opening, read_opening
from stockwire.importing.plan import (
    BODY_BYTES_MAX,
    KEY_CHARACTERS_MAX,
    LINES_PER_OPERATION_MAX,
    Plan,
    import_key,
    make_plan,
)
from stockwire.importing.sheet import parse_sheet
from stockwire.operation import QUANTITY_MAX

SAMPLE = Path(__file__).parents[3] / "cli" / "sample" / "online-retail-2010-12-01_10.csv.gz"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def plan(*rows: tuple[str, str, int], opening: dict[str, int] | None = None, location: str = "berlin") -> Plan:
    lines = [f"{invoice},{sku},NAME OF {sku},{units},01/12/2010 08:26,1.5,,\n" for invoice, sku, units in rows]
    sheet = parse_sheet(line.encode() for line in (HEADER, *lines))
    return make_plan(sheet, location, None if opening is None else Opening(opening, "digest"))


def opened(made: Plan) -> dict[str, int]:
    return {line.sku: line.quantity for _, lines in made.opening for line in lines}


def accounted(made: Plan) -> int:
    return sum(booking.file_lines for booking in made.bookings) + len(made.rejects)


def outcome(made: Plan, order: list[int]) -> tuple[dict[str, int], set[str]]:
    """What a ledger makes of it in this order: stock, and the invoices refused."""
    stock = dict(opened(made))
    refused = set()
    for index in order:
        booking = made.bookings[index]
        after = dict(stock)
        for line in booking.lines:
            after[line.sku] = after.get(line.sku, 0) + line.quantity
        if any(units < 0 for units in after.values()):
            refused.add(booking.invoice)
        else:
            stock = after
    return stock, refused


def any_order(made: Plan, seed: int) -> list[int]:
    """An order in which the invoices may be booked when many are in flight."""
    chance = random.Random(seed)
    done: list[int] = []
    waiting = list(range(len(made.bookings)))
    while waiting:
        free = [index for index in waiting if all(earlier in done for earlier in made.bookings[index].after)]
        done.append(chance.choice(free))
        waiting.remove(done[-1])
    return done


def test_opening_stock_is_the_deepest_fall_below_zero_and_no_more() -> None:
    made = plan(("1", "A", 5), ("C2", "A", -3), ("3", "A", 4), ("C4", "B", -2), ("5", "B", 1))
    assert opened(made) == {"A": 6}
    assert set(made.items) == {"A", "B"}


def test_repeated_skus_of_an_invoice_add_up_and_are_counted_as_lines() -> None:
    made = plan(("1", "A", 2), ("1", "B", 1), ("1", "A", 3))
    (booking,) = made.bookings
    assert [(line.sku, line.quantity) for line in booking.lines] == [("A", -5), ("B", -1)]
    assert booking.file_lines == 3
    assert booking.key == "import:berlin:1"


def test_invoices_wait_only_for_what_their_opening_stock_does_not_cover() -> None:
    made = plan(("1", "A", 5), ("C2", "A", -3), ("3", "A", 4), ("4", "B", 1), ("5", "B", 1))
    assert [booking.after for booking in made.bookings] == [(), (0,), (1,), (), ()]


rows = st.lists(
    st.tuples(st.sampled_from(["1", "2", "3", "C4", "C5", "6"]), st.sampled_from("XYZ"), st.integers(1, 9)), max_size=20
).map(lambda drawn: [(number, sku, -units if number.startswith("C") else units) for number, sku, units in drawn])


@given(rows, st.integers())
def test_by_default_nothing_is_refused_in_whatever_order_answers_come(
    drawn: list[tuple[str, str, int]], seed: int
) -> None:
    made = plan(*drawn)
    stock, refused = outcome(made, any_order(made, seed))
    assert not refused
    assert outcome(made, list(range(len(made.bookings)))) == (stock, refused)


@given(rows, st.dictionaries(st.sampled_from("XYZ"), st.integers(0, 12)), st.integers())
def test_with_an_opening_file_the_same_invoices_are_refused_in_whatever_order_answers_come(
    drawn: list[tuple[str, str, int]], opening: dict[str, int], seed: int
) -> None:
    made = plan(*drawn, opening=opening)
    assert outcome(made, any_order(made, seed)) == outcome(made, list(range(len(made.bookings))))
    assert accounted(made) == made.lines_read == len(drawn)


def test_the_sample_plans_the_same_twice_and_every_line_is_accounted_for() -> None:
    made = make_plan(read_sheet(SAMPLE), "shop", None)
    assert made == make_plan(read_sheet(SAMPLE), "shop", None)
    assert accounted(made) == made.lines_read == 25_281
    assert outcome(made, any_order(made, 1))[1] == set()
    assert all(len(lines) <= LINES_PER_OPERATION_MAX for _, lines in made.opening)
    assert len({key for key, _ in made.opening} | {booking.key for booking in made.bookings}) == 1_160 + 3


def test_another_file_brings_its_own_opening_stock() -> None:
    first, second = plan(("1", "A", 5)), plan(("2", "A", 5))
    assert first.opening[0][0] != second.opening[0][0]
    assert first.opening[0][0].startswith("import:berlin:opening:")


def test_an_invoice_beyond_what_is_atomic_is_rejected_whole_and_needs_no_stock() -> None:
    large = [("1", f"S{number}", 1) for number in range(LINES_PER_OPERATION_MAX + 1)]
    made = plan(*large, ("2", "A", 1))
    assert [booking.invoice for booking in made.bookings] == ["2"]
    assert opened(made) == {"A": 1}
    assert len(made.rejects) == LINES_PER_OPERATION_MAX + 1
    assert "1001 different lines" in made.rejects[0].reason
    repeated = plan(*[("1", f"S{number % 1000}", 1) for number in range(5_000)])
    assert repeated.bookings[0].file_lines == 5_000


def test_an_invoice_whose_body_no_ledger_takes_is_rejected_whole() -> None:
    made = plan(*[("1", f"{'漢' * 60}{number}", 1) for number in range(1_000)], location="東" * 64)
    assert not made.bookings
    assert f"{BODY_BYTES_MAX}" in made.rejects[0].reason
    assert accounted(made) == 1_000


def test_opening_operations_fit_the_ledger_however_long_the_names_are() -> None:
    made = plan(*[(str(number), f"{'漢' * 60}{number}", 1) for number in range(1_500)], location="東" * 64)
    sizes = [len(orjson.dumps({"lines": [line.body() for line in lines]})) for _, lines in made.opening]
    assert all(size <= BODY_BYTES_MAX for size in sizes)
    assert len(opened(made)) == 1_500


def test_sums_out_of_range_reject_their_lines_only() -> None:
    made = plan(("1", "A", QUANTITY_MAX), ("1", "A", 1), ("1", "B", 1))
    assert [line.sku for line in made.bookings[0].lines] == ["B"]
    assert made.bookings[0].file_lines == 1
    assert [reject.line for reject in made.rejects] == [2, 3]


def test_an_opening_is_never_more_than_a_level_can_hold() -> None:
    assert opened(plan(("1", "A", QUANTITY_MAX), ("2", "A", 5))) == {"A": QUANTITY_MAX}


def test_write_offs_give_their_remark_as_reason_and_no_name() -> None:
    made = plan(("1", "A", -3))
    assert made.bookings[0].lines[0].reason == "NAME OF A"
    assert made.items == {"A": None}


def test_keys_are_visible_ascii_never_confused_and_never_too_long() -> None:
    assert import_key("berlin", "536365") == "import:berlin:536365"
    assert import_key("a:b", "c") != import_key("a", "b:c")
    long = import_key("東" * 64, "1" * 64)
    assert len(long) <= KEY_CHARACTERS_MAX
    assert long != import_key("東" * 64, "2" * 64)
    assert all("!" <= character <= "~" for character in import_key("münchen", '"x%') + long)


def test_an_opening_file_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "opening.csv"
    path.write_text("\ufeffon_hand, SKU\n5,A\n\n0,B\n", encoding="utf-8")
    assert read_opening(path).on_hand == {"A": 5, "B": 0}
    for text in (
        "",
        "A,5\n",
        "sku,on_hand\nA,-1\n",
        "sku,on_hand\nA,\n",
        "sku,on_hand\nA,2147483648\n",
        "sku,on_hand\nA,1\nA,2\n",
        "sku,on_hand\nA/B,1\n",
        "sku,on_hand\nA\n",
        'sku,on_hand\n"A,1\n',
    ):
        path.write_text(text)
        with pytest.raises(UnreadableFile, match=r"opening\.csv"):
            read_opening(path)
