"""The figures are of what was received, and a dash where nothing was."""

from datetime import UTC, datetime

import pytest

from cli.figures import WINDOW_S, Arrivals, Figures
from cli.meter import total
from cli.terminal.screen import fitted

NOW = 1_800_000_000.0


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_nothing_measured_is_a_dash() -> None:
    assert Figures().line() == (
        "oversold – · – changes/s · commit to client p50 – ms · p99 – ms · clients – · refused – · conflicts –"
    )


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (
            120,
            "oversold 0 · 40 changes/s · commit to client p50 3.5 ms · p99 10.2 ms · "
            "clients 4 · refused 0 · conflicts 1",
        ),
        (80, "oversold 0 · 40 changes/s · commit to client p50 3.5 ms · p99 10.2 ms"),
        (70, "oversold 0 · 40 changes/s · commit to client p50 3.5 ms · p99 10.2 ms"),
        (60, "oversold 0 · 40 changes/s · commit to client p50 3.5 ms"),
        (40, "oversold 0 · 40 changes/s"),
        (12, "oversold 0"),
        (4, "over"),
    ],
)
def test_the_headline_stands_on_every_screen_and_no_figure_is_cut(columns: int, shown: str) -> None:
    """It stood last, and 80 columns ended before it. `refused 12` cut short would read `refused 1`."""
    figures = Figures(40, 3.5, 10.2, clients=4, conflicts=1, refused=0, oversold=0)
    assert fitted(figures.line(), columns) == shown


def test_a_conflated_change_counts_every_version_it_stands_for() -> None:
    arrivals = Arrivals()
    arrivals.known([("A", 4)])
    arrivals.changed("A", 9, at(NOW - 0.002), NOW)
    rate, p50, p99 = arrivals.figures(NOW, watched_s=5.0)
    assert rate == 1.0
    assert p50 is not None
    assert abs(p50 - 2.0) < 0.01
    assert p99 == p50


def test_a_repeated_version_counts_nothing() -> None:
    arrivals = Arrivals()
    arrivals.changed("A", 1, at(NOW), NOW)
    arrivals.changed("A", 1, at(NOW), NOW)
    assert arrivals.figures(NOW, watched_s=WINDOW_S)[0] == 1 / WINDOW_S


def test_what_is_older_than_the_window_is_forgotten() -> None:
    arrivals = Arrivals()
    arrivals.changed("A", 1, at(NOW), NOW)
    assert arrivals.figures(NOW + WINDOW_S + 1, watched_s=60.0) == (0.0, None, None)


def test_metrics_of_all_processes_and_labels_are_added_up() -> None:
    one = '# TYPE x_total counter\nx_total{type="a"} 2\nx_total{type="b"} 3\n'
    two = "# TYPE x_total counter\nx_total 1\n"
    assert total([one, two, ""], "x") == 6
    assert total(["# HELP x_total none yet\n# TYPE x_total counter\n"], "x") == 0
    assert total(["", ""], "x") is None
