"""The table of all levels: what is in sight is right, sorted as asked, and cheap with 100,000 of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from console.watched.stock_table import COLUMNS_MAX, Sight, StockTable

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Put:
    sku: str
    location: str
    on_hand: int
    reserved: int = 0
    version: int = 1
    committed_at: datetime | None = NOON

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


def table(*levels: Put) -> StockTable:
    made = StockTable()
    made.replace(levels)
    return made


def skus(found: dict[str, Any]) -> list[str]:
    return [row["sku"] for row in found["rows"]]


def test_a_row_sums_up_where_it_can_be_sold_and_shows_what_is_on_its_way_apart() -> None:
    stock = table(Put("A", "berlin", 10, 2), Put("A", "rome", 5), Put("A", "transit:rome", 7, 7))
    (row,) = stock.rows(Sight(), 0.0)["rows"]
    assert (row["on_hand"], row["reserved"], row["available"]) == (15, 2, 13)
    assert [cell and cell["on_hand"] for cell in row["cells"]] == [10, 5, 7]
    stock.put(Put("A", "berlin", 9, 1, 2))
    (row,) = stock.rows(Sight(), 0.0)["rows"]
    assert (row["on_hand"], row["reserved"], row["available"], stock.reserved, stock.levels) == (14, 1, 13, 1, 3)


def test_numbers_are_the_newest_while_their_places_follow_once_a_second() -> None:
    stock = table(Put("A", "berlin", 1), Put("B", "berlin", 2), Put("C", "berlin", 3))
    lowest = Sight(sort="available", limit=2)
    assert skus(stock.rows(lowest, 0.0)) == ["A", "B"]
    stock.put(Put("A", "berlin", 50, version=2))
    assert [(row["sku"], row["available"]) for row in stock.rows(lowest, 0.5)["rows"]] == [("A", 50), ("B", 2)]
    assert skus(stock.rows(lowest, 1.5)) == ["B", "C"]


def test_each_sort_and_each_search_find_what_they_say() -> None:
    later = datetime(2026, 11, 22, 13, tzinfo=UTC)
    stock = table(Put("a-1", "berlin", 5, 4), Put("A-2", "rome", 7), Put("B", "rome", 6, committed_at=later))
    stock.names = {"a-1": "Zebra", "A-2": "apple", "B": "Mug"}
    assert skus(stock.rows(Sight(sort="name"), 0.0)) == ["A-2", "B", "a-1"]
    assert skus(stock.rows(Sight(sort="sku"), 0.0)) == ["A-2", "B", "a-1"]
    assert skus(stock.rows(Sight(sort="available"), 0.0)) == ["a-1", "B", "A-2"]
    assert skus(stock.rows(Sight(sort="on_hand", descending=True), 0.0)) == ["A-2", "B", "a-1"]
    assert skus(stock.rows(Sight(sort="reserved", descending=True), 0.0))[0] == "a-1"
    assert skus(stock.rows(Sight(sort="changed", descending=True), 0.0))[0] == "B"
    assert skus(stock.rows(Sight(search="A-"), 0.0)) == ["A-2", "a-1"]
    assert skus(stock.rows(Sight(search="mUG"), 0.0)) == ["B"]
    assert skus(stock.rows(Sight(location="rome", sort="available"), 0.0)) == ["B", "A-2"]
    found = stock.rows(Sight(search="a-", offset=1, limit=5), 0.0)
    assert (skus(found), found["matching"], found["offset"]) == (["a-1"], 2, 1)


def test_only_so_many_columns_are_shown() -> None:
    stock = table(*(Put("A", f"shop-{number:02}", 1) for number in range(COLUMNS_MAX + 5)))
    found = stock.rows(Sight(), 0.0)
    assert (len(found["locations"]), found["more_locations"]) == (COLUMNS_MAX, 5)
    assert stock.rows(Sight(location="shop-16"), 0.0)["locations"][-1] == "shop-16"
    assert stock.rows(Sight(locations=("shop-16", "nowhere")), 0.0)["rows"][0]["cells"][1] is None


def test_what_is_gone_with_another_history_is_gone_here() -> None:
    stock = table(Put("A", "berlin", 1, 1))
    stock.rows(Sight(), 0.0)
    stock.replace([Put("B", "rome", 2)])
    assert (skus(stock.rows(Sight(), 0.0)), stock.locations, stock.reserved) == (["B"], ["rome"], 0)
