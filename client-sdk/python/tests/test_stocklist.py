"""Stock in a column for each location: a thousand is never counted as one in silence."""

from pathlib import Path

import pytest

from stockwire.importing import ReadOptions, UnreadableFile, read_stock
from stockwire.importing.profile import Profile

BRANCHES = Profile("branches", "stock", {"sku": ("Artikel",), "on_hand": ("Bestand *",)})


def counted(folder: Path, *lines: str) -> list[tuple[str | None, int]]:
    path = folder / "stock.csv"
    path.write_text("".join(f"{line}\n" for line in ("Artikel;Bestand Berlin;Bestand Ulm", *lines)), encoding="utf-8")
    return [(row.location, row.on_hand) for row in read_stock(path, ReadOptions(profile=BRANCHES)).rows]


def test_a_thousand_or_one_in_a_column_of_a_location_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"'1\.000' \(line 3\) can be a thousand or a fraction"):
        counted(tmp_path, "A;5;2", "B;1.000;3")


def test_the_decimal_sign_is_found_over_the_columns_of_all_locations(tmp_path: Path) -> None:
    assert counted(tmp_path, "A;1.000;2,0") == [("Berlin", 1000), ("Ulm", 2)]
