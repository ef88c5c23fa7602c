"""A mapping as a file: every wrong line is named, and what is written is read as it was."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followers.marketplaces.mapping.lines import Line, LinesRefused, read_csv, write_csv

names = st.text("ABCxyz0189-._ä", min_size=1, max_size=12)
remotes = st.text("ABC189:/ ,\"'gid#", min_size=1, max_size=20).filter(lambda text: text == text.strip())


@given(st.dictionaries(remotes, st.tuples(names, st.none() | names), max_size=8))
def test_what_is_written_is_read_as_it_was(mapped: dict[str, tuple[str, str | None]]) -> None:
    text = write_csv([(remote, sku, location, "a title, with a comma") for remote, (sku, location) in mapped.items()])
    assert read_csv(text) == [Line(remote, *rest) for remote, rest in mapped.items()]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "line 1: lacks remote and sku: the header is remote,sku,location"),
        ("remote,location\n1,x\n", "line 1: lacks sku: the header is remote,sku,location"),
        ("remote,sku,colour\n", "line 1: has 'colour': the header is remote,sku,location"),
        ("remote,sku,sku\n", "line 1: has 'a column twice': the header is remote,sku,location"),
        ("remote,sku\n1\n", "line 2: has 1 columns, and the header 2"),
        ("remote,sku\n1,A\n1,B\n", "line 3: remote '1' is mapped twice: it stands on line 2 too"),
        ("remote,sku\n1,A/B\n", "line 2: sku must be 1 to 64 visible characters without / and *"),
        ("remote,sku\n1,A B\n", "line 2: sku must be 1 to 64 visible characters without / and *"),
        ("remote,sku,location\n1,A,*\n", "line 2: location must be 1 to 64 visible characters without / and *"),
        (
            "remote,sku\n,A\n1,\n",
            "line 2: remote must be 1 to 200 visible characters without blanks around them;"
            " line 3: sku must be 1 to 64 visible characters without / and *",
        ),
    ],
)
def test_each_wrong_line_is_named_with_what_is_wrong(text: str, wrong: str) -> None:
    with pytest.raises(LinesRefused) as refused:
        read_csv(text)
    assert str(refused.value) == wrong


def test_what_a_spreadsheet_adds_is_read_too() -> None:
    text = "\ufeffSKU,Remote,title,location\r\nA,1,Mug,\r\n,,,\r\nB,2,Cup,berlin\r\n"
    assert read_csv(text) == [Line("1", "A"), Line("2", "B", "berlin")]


@pytest.mark.parametrize("title", ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1"])
def test_a_title_is_no_formula_in_a_spreadsheet(title: str) -> None:
    line = next(csv.DictReader(io.StringIO(write_csv([("1", "A", None, title)]))))
    assert line["title"] == f"'{title}"
