"""The file of rejects: what a line was rejected for can be counted and found without reading sentences."""

import csv
from pathlib import Path

from stockwire.cli.import_report import write_rejects
from stockwire.importing import read_sheet


def test_a_rejected_line_has_its_word_its_column_and_its_text(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("Receipt,sku,qty,at\n1,A,6.5,2026-11-02\n", encoding="utf-8")
    write_rejects(tmp_path / "rejects.csv", read_sheet(path).rejects)
    with (tmp_path / "rejects.csv").open(encoding="utf-8", newline="") as written:
        assert list(csv.reader(written)) == [
            ["line", "word", "column", "reason", "original"],
            ["2", "no whole number", "qty", "quantity '6.5' is no whole number", "1,A,6.5,2026-11-02"],
        ]
