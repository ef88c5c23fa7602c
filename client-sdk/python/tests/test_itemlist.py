"""A list of items: a price of nothing says nothing, a price of 0 is one."""

from decimal import Decimal
from pathlib import Path

from stockwire.catalogue import Item
from stockwire.importing import read_items
from stockwire.importing.item_puts import merged


def test_a_price_of_0_takes_the_place_of_the_one_that_is_known(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("sku,name,price\nA,Mug,0.00\nB,Pot,\n", encoding="utf-8")
    rows = read_items(path).rows
    assert [row.price for row in rows] == [Decimal(0), None]
    known = [Item(row.sku, row.name, Decimal("2.50"), "EUR") for row in rows]
    assert [merged(*pair, "EUR").price for pair in zip(known, rows, strict=True)] == [Decimal(0), Decimal("2.50")]
