"""Listings stay in their columns whatever names they hold."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from stockwire.cli.columns import Column, Columns, cut, fitted

TABLE = (Column("sku", 6), Column("on hand", 7, right=True), Column("name", 0))


@given(st.text(), st.integers(1, 30))
def test_a_cut_cell_is_never_too_wide(text: str, width: int) -> None:
    assert cell_len(cut(text, width)) <= width
    assert cell_len(fitted(text, width)) == width


@given(st.lists(st.text(), min_size=3, max_size=3), st.integers(30, 120))
def test_a_line_fits_the_terminal(cells: list[str], width: int) -> None:
    assert cell_len(Columns(TABLE, width).line(cells)) <= width


def test_what_does_not_fit_says_so() -> None:
    columns = Columns(TABLE, 30)
    assert columns.heading() == "sku     on hand  name"
    assert columns.line(["A-very-long", "12", "Apple"]) == "A-ver…       12  Apple"
    assert columns.line(["日本語日本", "12", "x"]) == "日本…        12  x"


def test_a_name_cannot_move_the_cursor() -> None:
    assert "\x1b" not in cut("\x1b[2Jgone", 20)
