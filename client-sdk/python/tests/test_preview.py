"""A look before anything is booked: the first lines and what they become, the reasons and how often each."""

from pathlib import Path

from stockwire.importing import read_items, read_sheet, read_stock
from stockwire.importing.plan import make_plan
from stockwire.importing.preview import preview_items, preview_sales, preview_stock, reject_words


def test_lines_are_shown_in_the_order_of_the_file_with_what_becomes_of_them(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(
        "number,sku,quantity,at,name,price,currency\n"
        "2,B,1,2026-11-02T10:00:00Z,Pot,9,eur\n"
        "1,A,6.5,2026-11-02T10:00:00Z,,,\n"
        "1,A,-2,2026-11-02T10:00:00Z,,,\n"
        "2,A,1,2026-11-02T10:00:00Z,Mug,2.50,\n"
        "3,A,-2,2026-11-02T10:00:00Z,,,\n"
    )
    sheet = read_sheet(path)
    shown = [
        (2, "sale -1 B (Pot) at 9 EUR, 2, 2026-11-02T10:00:00Z"),
        (3, "rejected: quantity '6.5' is no whole number"),
        (4, "rejected: held back: line 3 of its invoice 1 was rejected (quantity '6.5' is no whole number)"),
        (5, "sale -1 A (Mug) at 2.50, 2, 2026-11-02T10:00:00Z"),
        (6, "return +2 A, 3, 2026-11-02T10:00:00Z"),
    ]
    plan = make_plan(sheet, "berlin")
    assert preview_sales(sheet, plan) == shown
    assert preview_sales(sheet, plan, 2) == shown[:2]


def test_items_and_stock_are_shown_alike(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("sku,name,price,on_hand,location,attribute.colour\nA,Mug,2.50,7,berlin,white\n,Pot,1,1,,\n")
    assert preview_items(read_items(path)) == [(2, "item A: Mug, 2.50, colour=white"), (3, "rejected: no sku")]
    assert preview_stock(read_stock(path)) == [(2, "A: 7 on hand in berlin"), (3, "rejected: no sku")]


def test_reasons_are_counted_by_their_word_the_most_frequent_first(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("sku,on_hand\n,1\n" + "A,x\n" * 5 + ",2\n")
    counted = reject_words(read_stock(path).rejects)
    assert [(word, count, [one.line for one in first]) for word, count, first in counted] == [
        ("quantity", 5, [3, 4, 5]),
        ("no sku", 2, [2, 8]),
    ]
