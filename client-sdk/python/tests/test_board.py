"""The table of `stockwire watch`: it fits, what changed is seen, and so is a connection that is gone."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from stockwire.cli.board import BACK_S, FLASH_S, HELD, Board
from stockwire.level import Level
from stockwire.stream import LevelChanged, Reconnecting, Snapshot
from stockwire.view import Replica, State, View

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


class Shop:
    """A board, the replica that its view shows, and a clock that only the test moves."""

    def __init__(self, location: str = "berlin") -> None:
        self.now = 100.0
        self._replica = Replica()
        self.view = View(self._replica)
        self.board = Board(location, self.view, clock=lambda: self.now, now=lambda: datetime(2026, 11, 28, 12, 3, 4))

    def snapshot(self, *levels: Level, recovered: bool = False) -> None:
        for level in levels:
            self._replica.apply(level)
        self.view.state = State.FRESH
        self.board.note(Snapshot(levels, recovered))

    def change(self, level: Level) -> None:
        self._replica.apply(level)
        self.board.note(LevelChanged(level))

    def lines(self, width: int = 80, height: int = 24) -> list[str]:
        return self.board.render(width, height).plain.split("\n")

    def rendered(self) -> list[Text]:
        return list(self.board.render(80, 24).split("\n"))


def level(sku: str, version: int, available: int, reserved: int = 0, kind: str = "sale") -> Level:
    return Level(sku, "berlin", version, available + reserved, reserved, available, kind, AT, 0, version)


@given(
    st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=64), max_size=40, unique=True),
    st.integers(20, 200),
    st.integers(1, 60),
    st.sampled_from(["berlin", "*", "a-location-with-a-name-that-does-not-fit-anywhere-at-all"]),
)
def test_no_line_is_wider_than_the_terminal_and_no_frame_higher(
    skus: list[str], width: int, height: int, location: str
) -> None:
    shop = Shop(location)
    shop.snapshot(*(level(sku, 1, 2**31 - 1) for sku in skus))
    for sku in skus[:3]:
        shop.change(level(sku, 2, 0))
    lines = shop.lines(width, height)
    assert len(lines) <= height
    if width >= 40:
        assert max(cell_len(line) for line in lines) <= width


def test_what_changed_is_marked_and_reversed_for_a_moment() -> None:
    """Marked and reversed, so that it is seen where colours are not."""
    shop = Shop()
    shop.snapshot(level("A", 1, 5), level("B", 1, 5))
    shop.change(level("B", 2, 3))
    row = next(line for line in shop.rendered() if line.plain.startswith("B"))
    assert "▼ -2" in row.plain
    assert "reverse" in str(row.style) + str([span.style for span in row.spans])
    shop.now += FLASH_S
    row = next(line for line in shop.rendered() if line.plain.startswith("B"))
    assert "▼" not in row.plain
    assert "-2" in row.plain
    assert "reverse" not in str(row.style) + str([span.style for span in row.spans])


def test_a_basket_that_holds_is_seen_until_it_has_left_or_let_go() -> None:
    shop = Shop()
    shop.snapshot(level("A", 1, 5))
    shop.change(level("A", 2, 2, 3, "hold"))
    assert shop.lines()[3].split()[:6] == ["A", "5", "3", "2", "▼", "-3"]
    assert f"hold {AT.astimezone():%H:%M:%S}" in shop.lines()[3]
    shop.now += FLASH_S
    assert HELD in reserved_styles(shop)
    shop.change(level("A", 3, 2, 3, "commit"))
    row = shop.rendered()[3]
    assert row.plain.split()[:4] == ["A", "5", "3", "2"]
    assert "reverse" not in str(row.style), "nothing more was taken"
    shop.change(level("A", 4, 2, 0, "fulfil"))
    assert shop.lines()[3].split()[:5] == ["A", "2", "0", "2", "fulfil"]
    assert HELD not in reserved_styles(shop)
    narrow = shop.lines(width=46)[2].split()
    assert "reserved" in narrow
    assert "last" not in narrow


def reserved_styles(shop: Shop) -> list[str]:
    return [str(span.style) for span in shop.rendered()[3].spans]


def test_what_changed_last_is_shown_when_not_everything_fits() -> None:
    shop = Shop()
    shop.snapshot(*(level(f"S{number:03}", 1, 5) for number in range(100)))
    shop.change(level("S077", 2, 6))
    lines = shop.lines(height=10)
    assert any(line.startswith("S077") and "▲ +1" in line for line in lines)
    assert lines[-1].startswith("and 94 more")


def test_a_narrow_terminal_keeps_the_sku_and_what_is_available() -> None:
    shop = Shop()
    shop.snapshot(level("A-SKU-THAT-IS-LONG", 1, 5))
    heading, row = shop.lines(width=24)[2:4]
    assert heading.split() == ["sku", "available"]
    assert "…" in row
    assert row.endswith("5")


def test_a_lost_connection_is_seen_and_so_is_its_end() -> None:
    shop = Shop()
    shop.snapshot(level("A", 1, 5))
    shop.view.lag_ms = 12
    assert "  lag 12 ms  1 level  0 changes" in shop.lines()[0]
    shop.view.state = State.CONNECTING
    shop.board.note(Reconnecting(1, 2.0, "the hub went away"))
    assert "connecting" in shop.lines()[0]
    assert "1 reconnect" in shop.lines()[0]
    as_of = "shown as of 12:03:04"
    assert shop.lines()[1] == f"disconnected for 0 s, {as_of}; try 1 in 2.0 s: the hub went away"
    shop.now += 3
    assert shop.lines()[1] == f"disconnected for 3 s, {as_of}; try 1 now: the hub went away"
    assert "lag" not in shop.lines()[0], "of a connection that is gone"
    shop.snapshot(level("A", 2, 4), recovered=True)
    assert shop.lines()[1] == "back after 3.0 s: resumed, 1 level changed meanwhile"
    shop.change(level("A", 2, 4))
    assert any(line.startswith("A") and "▼ -1" in line for line in shop.lines()), "what changed meanwhile is not seen"
    shop.now += BACK_S
    assert shop.lines()[1] == ""


def test_a_location_without_stock_says_so() -> None:
    shop = Shop()
    assert not any("Nothing" in line for line in shop.lines())
    shop.snapshot()
    assert "Nothing has ever been booked here." in shop.lines()


@pytest.mark.parametrize("state", list(State))
def test_the_state_stands_in_the_first_line(state: State) -> None:
    shop = Shop()
    shop.view.state = state
    shop.view.lag_ms = 12
    assert shop.lines()[0].startswith(f"berlin  {state.value}  lag 12 ms")


@pytest.mark.parametrize("state", [State.STALE, State.CONNECTING, State.CLOSED])
def test_no_number_stands_at_full_strength_while_it_may_be_old(state: State) -> None:
    shop = Shop()
    shop.snapshot(level("A", 1, 5))
    shop.change(level("A", 2, 4))
    shop.view.state = state
    row = next(line for line in shop.rendered() if line.plain.startswith("A "))
    assert [str(span.style) for span in row.spans] == ["dim"]
