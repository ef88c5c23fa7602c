"""What pages show of the bench is what its last run found, and its rows and targets are those of the code."""

import asyncio
from pathlib import Path

import pytest

from tests.bench.pages import aim, best_rows, between_marks, figures, pages_of, runs, shown
from tests.bench.plot import LABELS, place, plot
from tests.bench.ratio import Row
from tests.bench.results import Result, Results, Run, encoded, merged, read, result_of
from tests.bench.rows import ROWS
from tests.bench.turns import rows_of
from tests.harness.source import ROOT

RUN = Run("abc1234", "0.1.0", 3, {"cores": "2"}, {"Python": "3.11"})
WRITE = 'make bench ARGS="--rounds 0 --write"'


def measured(name: str = "a row", target: float | None = 2.0, better: str = "lower", ours: float = 3.0) -> Row:
    return Row(name, "us", better, "ours", "bare", target, [ours, ours + 1, ours - 1], [2.0, 2.0, 2.0])


def result(row: Row, bench: str = "bench", run: str = "first") -> Result:
    return result_of(row, bench, run)


def results(*rows: Result) -> Results:
    return Results({"first": RUN}, list(rows))


@pytest.mark.parametrize("path", pages_of(read()), ids=lambda path: path.name)
def test_no_figure_was_written_by_hand(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == pages_of(read())[path], f"{WRITE} writes {path.relative_to(ROOT)} anew"


def test_every_row_of_the_bench_is_recorded_with_its_target() -> None:
    async def declared() -> list[Result]:
        return [result(row, name) for name, bench in ROWS.items() for row in await rows_of(bench)]

    recorded = {row.name: (row.bench, row.target, row.better) for row in read().rows}
    assert recorded == {row.name: (row.bench, row.target, row.better) for row in asyncio.run(declared())}, WRITE


def test_figures_are_medians_and_the_spread_is_of_rounds() -> None:
    row = result(measured())
    assert (row.value, row.reference, row.ratio, row.spread) == (3.0, 2.0, 1.5, (1.0, 2.0))


@pytest.mark.parametrize(
    ("better", "target", "met", "margin"),
    [("lower", 2.0, True, 4 / 3), ("lower", 1.2, False, 0.8), ("higher", 1.2, True, 1.25), ("higher", 3.0, False, 0.5)],
)
def test_a_target_is_met_on_its_own_side(better: str, target: float, met: bool, margin: float) -> None:
    row = result(measured(target=target, better=better))
    assert row.met is met
    assert row.margin == pytest.approx(margin)


def test_a_row_that_was_not_measured_says_why_and_has_no_figures() -> None:
    row = result(Row("a row", "us", "lower", "ours", "bare", 2.0, missing="needs a compiler"))
    assert (row.ratio, row.met, row.run) == (None, None, "")
    assert "| a row | not measured: needs a compiler | | | | at most 2 | |" in figures(results(row))
    assert row.name not in plot(results(row))


def test_rows_that_were_not_measured_again_keep_their_figures_and_take_the_target_of_the_code() -> None:
    kept = results(result(measured("kept")), result(measured("again")), result(measured("gone")))
    now = [
        result(Row("kept", "us", "lower", "ours", "bare", 1.0)),
        result(measured("again", ours=5.0), run="second"),
    ]
    both = merged(kept, now, {"second": RUN})
    assert [(row.name, row.ratio, row.target, row.met, row.run) for row in both.rows] == [
        ("kept", 1.5, 1.0, False, "first"),
        ("again", 2.5, 2.0, False, "second"),
    ]
    assert list(both.runs) == ["first", "second"]
    assert "again (run 2)" in figures(both)


def test_a_run_goes_with_its_last_row() -> None:
    both = merged(results(result(measured())), [result(measured(), run="second")], {"second": RUN})
    assert list(both.runs) == ["second"]


def test_before_stands_beside_now() -> None:
    row = measured()
    row.before = measured(ours=6.0)
    found = result(row)
    assert found.before is not None
    assert found.before.ratio == 3.0
    assert "| 3 (2.5 to 3.5) |" in figures(results(found))
    assert "was 3" in plot(results(found))


def test_an_earlier_tree_that_did_not_get_through_is_said_to_have_failed() -> None:
    row = measured()
    row.before = Row("a row", "us", "lower", "ours", "bare", 2.0)
    row.notes["before"] = "failed: ConnectionError"
    assert "| at most 2, met | failed |" in figures(results(result(row)))


def test_what_a_row_notes_stands_on_the_page() -> None:
    row = measured()
    row.notes["changes/s"] = "5,000"
    assert "- a row: changes/s 5,000" in runs(results(result(row)))


def test_the_readme_takes_one_row_of_each_bench_and_none_that_missed() -> None:
    rows = [result(measured(f"row {number}", ours=1.0 + number / 10), f"bench {number // 2}") for number in range(12)]
    missed = result(measured("missed", ours=9.0), "another")
    assert [row.name for row in best_rows([missed, *rows])] == ["row 0", "row 2", "row 4", "row 6"]


def test_results_come_back_from_their_file_as_they_were(tmp_path: Path) -> None:
    row = measured()
    row.before = measured(ours=6.0)
    found = results(result(row))
    (tmp_path / "results.json").write_text(encoded(found))
    assert read(tmp_path / "results.json") == found


def test_what_is_between_marks_is_replaced_and_nothing_else() -> None:
    text = "a\n<!-- bench x -->\nold\n<!-- end of bench x -->\nb\n"
    assert between_marks(text, "x", r"new \1") == "a\n<!-- bench x -->\n\nnew \\1\n<!-- end of bench x -->\nb\n"
    with pytest.raises(ValueError, match="0 places for the y"):
        between_marks(text, "y", "")


def test_a_bar_ends_where_its_row_is() -> None:
    assert place(1 / 1000) == LABELS
    assert place(1 / 16) < place(0.5) < place(1) < place(3) < place(16) == place(1000)


@pytest.mark.parametrize(
    ("figure", "text"), [(0.123456, "0.123"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346")]
)
def test_figures_have_three_digits(figure: float, text: str) -> None:
    assert shown(figure) == text


def test_a_row_without_a_target_has_no_aim() -> None:
    assert aim(result(measured(target=None))) == "-"
