"""Reading sales files as they really are: nothing vanishes, and no line takes another with it."""

import csv
import gzip
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.importing import Sheet, UnreadableFile, read_invoices, read_sheet
from stockwire.importing.records import LINE_CHARACTERS_MAX
from stockwire.importing.sheet import parse_sheet

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
SAMPLE = Path(__file__).parents[3] / "cli" / "sample" / "online-retail-2010-12-01_10.csv.gz"


def sheet(*lines: str | bytes, header: str = HEADER) -> Sheet:
    raw = [line if isinstance(line, bytes) else line.encode() for line in (header, *lines)]
    return parse_sheet(line + b"\n" for line in b"\n".join(raw).split(b"\n"))


def row(
    invoice: str = "1", sku: str = "A1", quantity: str = "2", at: str = "01/12/2010 08:26", name: str = "MUG", **_: str
) -> str:
    return f"{invoice},{sku},{name},{quantity},{at},2.55,17850,United Kingdom"


def booked(sheet: Sheet) -> list[tuple[str, str, int, str]]:
    return [(line.invoice, line.sku, line.quantity, line.kind) for inv in sheet.invoices for line in inv.lines]


def rejected(sheet: Sheet) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in sheet.rejects]


def test_the_sample_is_read_whole() -> None:
    whole = read_sheet(SAMPLE)
    assert whole.lines_read == 25_281
    assert len(whole.invoices) == 1_160
    assert len(whole.rejects) == 106
    assert {reject.reason.split(":")[0] for reject in whole.rejects} == {"no goods"}
    first = next(read_invoices(SAMPLE))
    assert (first.number, first.at, len(first.lines)) == ("536365", datetime(2010, 12, 1, 8, 26, tzinfo=UTC), 7)
    assert first.lines[0].price == Decimal("2.55")


def test_sales_cancellations_and_write_offs() -> None:
    read = sheet(row("1", quantity="6"), row("C2", quantity="-1"), row("3", quantity="-10", name="damages"))
    assert booked(read) == [("1", "A1", -6, "sale"), ("C2", "A1", 1, "return"), ("3", "A1", -10, "write_off")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(sku="POST"), "no goods: POST"),
        (row(sku="post"), "no goods: post"),
        (row(sku="M"), "no goods: M"),
        (row(sku="BANK CHARGES"), "no goods: BANK CHARGES"),
        (row(sku="gift_0001_20"), "no goods: gift_0001_20"),
        (row(invoice="A563185", sku="B"), "no goods: B"),
        (row(sku=""), "no sku: MUG"),
        (row(sku="A/1"), "sku 'A/1' is not 1 to 64 visible characters"),
        (row(sku="A 1"), "sku 'A 1' is not 1 to 64 visible characters"),
        (row(sku="A" * 65), "sku 'AAAA"),
        (row(invoice=""), "no number of an invoice, receipt or order"),
        (row(invoice="1" * 65), "number '1111"),
        (row(quantity=""), "quantity"),
        (row(quantity="six"), "quantity"),
        (row(quantity="1.5"), "quantity"),
        (row(quantity="1_000"), "quantity"),
        (row(quantity="٣"), "quantity"),
        (row(quantity="0"), "quantity is 0"),
        (row(quantity="2147483648"), "quantity 2147483648 is out of the 32-bit range"),
        (row(quantity="-2147483648"), "quantity -2147483648 is out of the 32-bit range"),
        (row(quantity="9" * 30), "quantity"),
        (row(invoice="C1", quantity="5"), "a cancellation with a positive quantity"),
        (row(at=""), "date"),
        (row(at="31/02/2010 08:26"), "date"),
        (row(at="12/31/2010 08:26"), "date"),
        (row(at="01/12/0010 08:26"), "date"),
        ("1,A1,MUG,2", "4 columns instead of 8"),
        (row() + ",more", "9 columns instead of 8"),
        ("", "empty line"),
        ('1,A1,"MUG,2,01/12/2010 08:26,2.55,17850,United Kingdom', "a quote is not closed"),
        ('1,A1,"MUG"x,2,01/12/2010 08:26,2.55,17850,United Kingdom', "no CSV"),
    ],
)
def test_a_line_that_cannot_be_booked_is_rejected_and_takes_no_other_with_it(line: str, reason: str) -> None:
    """Whether the invoice is whole without it, test_held_back.py says."""
    read = sheet(row("1"), line, row("1", sku="A2"))
    assert [(number, why[: len(reason)]) for number, why in rejected(read)] == [(3, reason)]
    assert read.rejects[0].original == line
    assert booked(read) == [("1", "A1", -2, "sale"), ("1", "A2", -2, "sale")]
    assert read.lines_read == 3


def test_a_b_is_a_code_like_any_other_elsewhere() -> None:
    assert booked(sheet(row("1", sku="B"))) == [("1", "B", -2, "sale")]


def test_only_whole_invoices_are_given_to_who_asks_for_invoices_alone(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("\n".join([HEADER, row("1"), row("2"), row("1", quantity="six"), row("2", sku="POST")]))
    assert [invoice.number for invoice in read_sheet(path).invoices] == ["1", "2"]
    assert [invoice.number for invoice in read_invoices(path)] == ["2"]


def test_quoted_commas_quotes_and_line_breaks() -> None:
    read = sheet(
        '1,A1,"MUG, ""WHITE""",2,01/12/2010 08:26,2.55,17850,United Kingdom',
        '1,A2,"TALL\nMUG",3,01/12/2010 08:26,2.55,17850,United Kingdom',
        row("1", sku="A3"),
        row("1", sku="A4", quantity="x"),
    )
    assert [line.name for line in read.invoices[0].lines] == ['MUG, "WHITE"', "TALL MUG", "MUG"]
    assert [line.line for line in read.invoices[0].lines] == [2, 3, 5]
    assert rejected(read) == [(6, "quantity 'x' is no number")]
    assert read.lines_read == 4


def test_an_open_quote_swallows_no_other_line() -> None:
    open_quote = '1,A1,"12"" PLATE,2,01/12/2010 08:26,2.55,17850,United Kingdom'
    read = sheet(open_quote, *(row("1", sku=f"S{n}") for n in range(50)), open_quote, row("1", sku="LAST"))
    assert [number for number, _ in rejected(read)] == [2, 53]
    assert len(booked(read)) == 51
    closed_elsewhere = sheet(open_quote, '1,A2,"MUG",3,01/12/2010 08:26,2.55,17850,United Kingdom')
    assert booked(closed_elsewhere) == [("1", "A2", -3, "sale")]


def test_interleaved_invoices_are_one_operation_each_by_first_appearance() -> None:
    read = sheet(row("1", "A"), row("2", "B"), row("1", "C"), row("3", "X"), row("2", "E"))
    assert [(inv.number, [line.sku for line in inv.lines]) for inv in read.invoices] == [
        ("1", ["A", "C"]),
        ("2", ["B", "E"]),
        ("3", ["X"]),
    ]


def test_byte_order_mark_latin_1_crlf_and_spaces() -> None:
    latin = "1,A1,CAFÉ,2,01/12/2010 08:26,2.55,17850,Österreich".encode("latin-1")
    read = parse_sheet([b"\xef\xbb\xbf" + HEADER.encode() + b"\r\n", latin + b"\r\n", row(" 2 ", " A2 ").encode()])
    assert read.invoices[0].lines[0].name == "CAFÉ"
    assert booked(read)[1] == ("2", "A2", -2, "sale")
    assert not read.rejects


def test_other_orders_and_names_of_columns() -> None:
    read = sheet(
        "2,2010-12-01 08:26:00,489434,A1,MUG,Germany",
        header="Quantity,InvoiceDate,Invoice,StockCode,Description,Country",
    )
    assert booked(read) == [("489434", "A1", -2, "sale")]
    assert read.invoices[0].lines[0].price is None


@pytest.mark.parametrize("header", ["", "a,b,c", "InvoiceNo;StockCode", HEADER.replace("Quantity", "Qty"), "\x00"])
def test_a_file_without_the_columns_is_said_so(header: str) -> None:
    with pytest.raises(UnreadableFile, match=r"first line|empty"):
        sheet(row(), header=header)


def test_files_that_are_none(tmp_path: Path) -> None:
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(SAMPLE.read_bytes()[:10_000])
    broken = tmp_path / "broken.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00" + b"x" * 100)
    endless = tmp_path / "endless.csv"
    endless.write_bytes(HEADER.encode() + b"\n" + b"x" * (LINE_CHARACTERS_MAX + 1))
    empty = tmp_path / "empty.csv"
    empty.touch()
    for path in (cut, broken, endless, empty, tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(UnreadableFile):
            read_sheet(path)


def test_the_same_content_is_read_alike_zipped_or_not_whatever_its_name(tmp_path: Path) -> None:
    plain, zipped = tmp_path / "plain.gz", tmp_path / "zipped.csv"
    plain.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
    zipped.write_bytes(SAMPLE.read_bytes())
    assert read_sheet(plain) == read_sheet(zipped)


cells = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=12)


@given(st.lists(st.one_of(cells, st.lists(cells, max_size=9).map(",".join), st.just(row())), max_size=30))
def test_no_line_vanishes_whatever_it_holds(lines: list[str]) -> None:
    """Lines without quotes: one line, one record."""
    texts = [
        *(line.replace('"', "").replace("\n", "") for line in lines),
        row(),
    ]  # what is empty at the end is left out
    read = sheet(*texts)
    numbers = [line.line for inv in read.invoices for line in inv.lines] + [reject.line for reject in read.rejects]
    assert sorted(numbers) == list(range(2, len(texts) + 2))
    assert read.lines_read == len(texts)


@given(st.lists(st.tuples(st.sampled_from("123"), cells), min_size=1, max_size=20))
def test_what_a_csv_writer_wrote_is_read_as_it_was(rows: list[tuple[str, str]]) -> None:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(HEADER.split(","))
    for invoice, name in rows:
        writer.writerow([invoice, "A1", name, "1", "01/12/2010 08:26", "1", "", ""])
    read = parse_sheet(io.BytesIO(written.getvalue().encode()))
    assert not read.rejects
    assert read.lines_read == len(rows)


def test_many_open_quotes_do_not_take_quadratic_time() -> None:
    read = sheet(*['1,A1,"MUG,2'] * 3_000)
    assert len(read.rejects) == 3_000


def test_a_file_that_shows_no_decimal_sign_leaves_it_open_in_its_profile() -> None:
    header = "number,sku,quantity,at"
    assert sheet("1,A,7,2026-11-02", header=header).profile.decimal is None
    assert sheet("1,A,7.0,2026-11-02", header=header).profile.decimal == "."
    assert sheet("1,A,7,2.11.2026", header=header).profile.dates is None


def test_goods_at_a_price_of_0_say_nothing_of_what_they_cost() -> None:
    read = sheet("1,A,2,2026-11-02,0.00,5.00", "2,A,2,2026-11-02,0.00,", header="number,sku,quantity,at,price,total")
    assert [inv.lines[0].price for inv in read.invoices] == [Decimal("2.5"), None]


def test_a_name_that_nobody_sees_and_a_currency_that_is_none_stop_no_sale() -> None:
    """The ledger takes neither, and would refuse all items of the file with it."""
    text = (
        "number,sku,quantity,at,name,price,currency\n1,A,1,2026-11-02,\u200b,2.5,\u20ac\n1,B,1,2026-11-02,Pot,2.5,eur\n"
    )
    read = parse_sheet([text.encode()])
    assert [(line.name, line.price, line.currency) for line in read.invoices[0].lines] == [
        ("", None, None),
        ("Pot", Decimal("2.5"), "EUR"),
    ]
    assert read.mends == {"price that cannot be read left out": 1}
