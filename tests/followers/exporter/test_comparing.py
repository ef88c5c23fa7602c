"""Rows of levels against their events: what moved since is left alone, what differs is told once."""

from typing import Any

import pytest

from followers.exporter.comparing import Walk
from tests.followers.exporter.logs import SHARD, Bench, Log


def walked(bench: Bench) -> Walk:
    return Walk(bench.known, bench.violations, bench.counts)


def shop() -> Log:
    log = Log()
    for sku in "ABC":
        log.add(sku, 10)
        log.add(sku, 5, location="hamburg")
    return log


def test_a_walk_makes_all_levels_known_and_every_sku_whole() -> None:
    log, bench = shop(), Bench(after=6)
    walk, heads = walked(bench), {SHARD: 6}
    walk.page(log.rows()[:3], heads, set(), last=False)
    one, two = bench.known.of("A"), bench.known.of("B")
    assert one is not None
    assert two is not None
    assert (one.whole, two.whole) == (True, False)
    walk.page(log.rows()[3:], heads, set(), last=True)
    assert two.whole
    assert (bench.known.count, bench.known.all_of_them, bench.counts.walks) == (6, True, 1)
    assert one.available == 15
    log.add("A", -1)
    assert bench.read(log.events[6:]).found == {}
    assert (one.available, bench.counts.first_sights) == (14, 0)
    log.add("D", 7)
    log.add("D", -1)
    bench.read([{**log.events[8], "seq": 8}])
    assert bench.found == {"versions": 1}, "of a level that was not there its first event is the first"


def test_a_walk_through_all_that_moves_finds_nothing_wrong() -> None:
    log, bench = shop(), Bench(after=6)
    walk = walked(bench)
    for _ in range(3):
        rows, heads = log.rows(), {SHARD: len(log.events)}
        for sku in "ABC":  # while the page was under way
            log.add(sku, -1)
        bench.read(log.events[heads[SHARD] :])
        walk.page(rows, heads, set(), last=True)
    assert bench.found == {}
    assert bench.counts.rows == 2 * 3, "of those that moved none is compared"


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"on_hand": 11}, {"levels": 1}),
        ({"version": 2}, {"levels": 1}),
        ({"version": 0}, {"levels": 1}),
        ({"seq": 0}, {"levels": 1}),
        ({"on_hand": -1}, {"levels": 1, "negative": 1}),
        ({"reserved": 11}, {"levels": 1, "oversold": 1}),
    ],
)
def test_a_row_that_differs_is_told_once_until_it_changes(wrong: dict[str, Any], found: dict[str, int]) -> None:
    log, bench = shop(), Bench(all_of_them=True)
    bench.read(log.events)
    walk, heads = walked(bench), {SHARD: 6}
    rows = log.rows()
    rows[0] |= wrong
    for _ in range(3):
        walk.page(rows, heads, set(), last=True)
        assert bench.found == found
    walk.page(log.rows(), heads, set(), last=True)
    assert bench.found == found
    walk.page(rows, heads, set(), last=True)
    assert bench.found == dict.fromkeys(found, 2)


def test_a_row_without_events_is_told_and_one_of_a_level_never_seen_is_judged_by_itself() -> None:
    log, bench = shop(), Bench(all_of_them=True)
    bench.read(log.events[:5])
    walked(bench).page(log.rows(), {SHARD: 6}, set(), last=True)
    assert bench.found == {"levels": 1}
    fresh, rows = Bench(after=6), log.rows()
    rows[0]["on_hand"] = -1
    walk = walked(fresh)
    for _ in range(2):
        walk.page(rows, {SHARD: 6}, set(), last=True)
        assert fresh.found == {"negative": 1}


def test_where_there_is_no_room_what_moves_is_known_and_nothing_is_promised_of_the_others() -> None:
    log, bench = shop(), Bench(after=6, levels_max=2)
    walk = walked(bench)
    log.add("C", -1)
    bench.read(log.events[6:])
    walk.page(log.rows(), {SHARD: 7}, set(), last=True)
    assert bench.known.count <= 2
    assert not bench.known.all_of_them
    moving = bench.known.of("C")
    assert moving is not None
    assert (moving.whole, moving.available) == (True, 14)
    assert bench.found == {}


def test_what_was_let_go_of_while_the_page_was_under_way_is_not_known_by_it() -> None:
    """The page is older than what was known: the next event would not follow it."""
    log, bench = shop(), Bench(after=6, levels_max=2)
    rows, heads = log.rows(), {SHARD: 6}
    with bench.known.leaving() as gone:
        for sku in "ABC":
            log.add(sku, -1)
        bench.read(log.events[6:])
        assert gone == {"A"}
        bench.known.levels_max = 100
        walked(bench).page(rows, heads, gone, last=True)
    log.add("A", -1)
    bench.read(log.events[9:])
    assert bench.found == {}
    assert not bench.known.all_of_them
