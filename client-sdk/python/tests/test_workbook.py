"""Workbooks: cells as a CSV of them would show, and nothing that unpacks without an end."""

import io
import sys
import zipfile
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockwire.importing import ReadOptions, UnreadableFile, read_sheet, workbook
from stockwire.importing.table import parse_table
from stockwire.importing.workbook import cell_text, workbook_rows

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
SHEET = "xl/worksheets/sheet1.xml"
BOMB = (
    f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    '<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row></sheetData></worksheet>'
)


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (None, "General", ""),
        (6.0, "General", "6"),
        (6.5, "General", "6.5"),
        (123, "00000", "00123"),
        (123.0, "0000000000000", "0000000000123"),
        (123, "0", "123"),
        (1234567890123456, "General", "1.23457E+15"),
        (1.5e17, "General", "1.5e+17"),
        (True, "General", "TRUE"),
        (datetime(2026, 11, 2, 10), "General", "2026-11-02T10:00:00"),
        (date(2026, 11, 2), "General", "2026-11-02"),
        (time(10, 30), "General", "10:30:00"),
        ("00123", "General", "00123"),
    ],
)
def test_a_cell_is_the_text_that_is_seen(value: object, number_format: str, text: str) -> None:
    assert cell_text(value, number_format) == text


def rewritten(part: str, content: str) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(("number", "sku", "quantity", "at"))
    plain, changed = io.BytesIO(), io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return changed.getvalue()


def test_a_date_and_a_time_in_two_columns_are_one_moment(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(("number", "sku", "quantity", "at", "time"))
    sheet.append(("1", "A", 1, date(2026, 11, 2), time(10, 30)))
    path = tmp_path / "sales.xlsx"
    book.save(path)
    read = read_sheet(path)
    assert [invoice.at for invoice in read.invoices] == [datetime(2026, 11, 2, 10, 30, tzinfo=UTC)], read.rejects


def test_entities_that_grow_without_an_end_are_refused() -> None:
    with pytest.raises(UnreadableFile, match=r"no sound \.xlsx"):
        workbook_rows(rewritten(SHEET, BOMB), None)


def test_what_unpacks_to_too_much_is_refused_before_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "WORKBOOK_BYTES_MAX", 100_000)
    with pytest.raises(UnreadableFile, match="unpacks to more than"):
        workbook_rows(rewritten(SHEET, "<!-- -->" * 20_000), None)


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + bytes(500)])
def test_a_damaged_file_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sales.xlsx"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"sales\.xlsx: this is no sound \.xlsx file"):
        read_sheet(path)


def test_any_other_zip_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "sales.xlsx"
    with zipfile.ZipFile(path, "w") as other:
        other.writestr("a.txt", "hello")
    with pytest.raises(UnreadableFile, match=r"no sound \.xlsx file"):
        read_sheet(path)


def test_without_the_extra_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    content = rewritten("nothing", "")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(UnreadableFile, match=r"pip install 'stockwire\[xlsx\]'"):
        workbook_rows(content, None)


@settings(deadline=None)  # a busy machine opens a workbook slowly
@given(st.lists(st.tuples(st.integers(0, 9_999), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damage_is_one_line(damage: list[tuple[int, int]]) -> None:
    """Whatever bytes are changed: rows, or one line."""
    content = bytearray(rewritten("nothing", ""))
    for place, byte in damage:
        content[place % len(content)] = byte
    try:
        parse_table(bytes(content), "sales", ReadOptions())
        said = ""
    except UnreadableFile as error:
        said = str(error)
    assert "\n" not in said
