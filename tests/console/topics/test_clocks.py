"""Clocks of the database and of the console that differ make no latencies and no paces: it is said instead."""

import time
from typing import Any

import pytest

from console.topics.figures import CLOCKS
from console.topics.watch import Watch
from console.web.board import Board
from tests.console.events import event
from tests.console.topics.watching import watch_of


async def launch(watch: Watch, behind_s: float) -> dict[str, Any]:
    """With changes that were here at once, and one late one, by a clock of the database that is so far behind."""
    now = time.time()
    watch.log._ledger_away = None
    watch.log.paces.count(event(1, -1, 5), now - behind_s)
    for late_s in (0.002, 0.9, 0.003, 0.003, 0.003):
        watch.levels.arrivals.arrived(now - behind_s - late_s, now)
    board = Board(watch)
    data: dict[str, Any] = await board.data(*board.read("launch", {}))
    return data


@pytest.mark.parametrize(("behind_s", "words", "rows"), [(60.0, "60.0 s behind", 0), (-60.0, "60.0 s ahead of", 1)])
async def test_clocks_that_differ_are_a_trouble_and_no_latency(behind_s: float, words: str, rows: int) -> None:
    async with watch_of() as watch:
        data = await launch(watch, behind_s)
    assert [(row["sold_per_s"], row["unknown"]["sold_per_s"]) for row in data["skus"]] == [(None, CLOCKS)] * rows
    assert (data["totals"]["unknown"].get("sold_per_s") == CLOCKS) is (behind_s > 0)
    (segment,) = (one for one in data["segments"] if one["name"] == "console")
    assert (segment["p50_ms"], segment["p99_ms"]) == (None, None)
    assert set(segment["unknown"].values()) == {CLOCKS}
    assert [one["what"] for one in data["wrong"] if words in one["what"]]


async def test_what_is_slow_is_no_other_clock() -> None:
    async with watch_of() as watch:
        data = await launch(watch, 0.5)
    (segment,) = (one for one in data["segments"] if one["name"] == "console")
    assert segment["p50_ms"] == pytest.approx(503, abs=1)
    assert not [one for one in data["wrong"] if "clock" in one["what"]]
