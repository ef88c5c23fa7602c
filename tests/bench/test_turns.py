"""Rounds of two trees: in turns, and a row that fails takes only its own figures with it."""

from typing import cast

import pytest

from tests.bench.ratio import Row
from tests.bench.shop import Shop
from tests.bench.turns import Bench, in_turns, joined

NOW, EARLIER = (cast(Shop, name) for name in ("now", "earlier"))


def bench(played: list[str], failing: str = "") -> Bench:
    async def measure(shop: Shop, rounds: int) -> list[Row]:
        row = Row("a row", "us", "lower", "ours", "bare")
        for _ in range(rounds):
            played.append(str(shop))
            if str(shop) == failing:
                raise ConnectionError("turned away")
            row.ours.append(float(len(played)))
            row.bare.append(1.0)
        return [row]

    return measure


async def test_neither_tree_always_finds_the_machine_as_the_other_left_it() -> None:
    played: list[str] = []
    (row,) = joined(await in_turns(bench(played), [NOW, EARLIER], 3, 3))
    assert played == ["now", "earlier", "earlier", "now", "now", "earlier"]
    assert row.ours == [1.0, 4.0, 5.0]
    assert row.before is not None
    assert row.before.ours == [2.0, 3.0, 6.0]


@pytest.mark.parametrize(("earlier", "of_five"), [(5, "NENENENENE"), (3, "NNENNENE"), (1, "NNNNNE"), (0, "NNNNN")])
async def test_fewer_rounds_of_the_earlier_tree_are_spread_over_all(earlier: int, of_five: str) -> None:
    played: list[str] = []
    await in_turns(bench(played), [NOW, EARLIER], 5, earlier)
    assert sorted(played) == sorted({"N": "now", "E": "earlier"}[one] for one in of_five)


async def test_an_earlier_tree_that_fails_leaves_the_figures_of_this_one() -> None:
    (row,) = joined(await in_turns(bench([], "earlier"), [NOW, EARLIER], 2, 2))
    assert len(row.ours) == 2
    assert row.before is not None
    assert not row.before.measured
    assert row.notes == {"before": "failed: ConnectionError: turned away"}


async def test_a_row_that_fails_says_so_and_is_not_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    played: list[str] = []
    (side,) = await in_turns(bench(played, "now"), [NOW], 3, 3)
    assert played == ["now"]
    assert side.failure == "ConnectionError: turned away"
    (row,) = joined([side])
    assert row.missing == "failed: ConnectionError: turned away"
    assert "turned away" in capsys.readouterr().err
