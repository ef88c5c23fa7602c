"""A shop of which something is not true is found out: what the verdict would miss, an upgrade could break unseen."""

from typing import Any

import pytest

from tests.upgrades.tills import Disturbance
from tests.upgrades.verdict import miscounted, undisturbed, wrong_frames


def event(version: int, available: int, view_version: int) -> dict[str, Any]:
    level = {"sku": "S01", "location": "berlin", "on_hand": available, "reserved": 0, "available": available}
    return {**level, "version": version, "view_version": view_version}


LOG = [event(1, 20, 1), event(2, 19, 1), event(3, 4, 2)]


def frame(version: int, on_hand: int, epoch: str = "e") -> list[Any]:
    return ["old hub-0 all", epoch, "berlin", "S01", version, on_hand, 0]


def seen(version: int, availability: str, quantity: str) -> list[Any]:
    return ["new hub-1 public", None, "berlin", "S01", version, availability, quantity]


GOOD = [
    frame(1, 20),
    frame(3, 4),
    frame(3, 4),
    frame(1, 20, "another"),
    seen(1, "in_stock", "10+"),
    seen(2, "low", "1+"),
]


def test_frames_that_say_what_the_log_says_are_right() -> None:
    assert wrong_frames(GOOD, LOG) == []


@pytest.mark.parametrize(
    "shown",
    [frame(2, 20), frame(4, 3), frame(1, 20), seen(1, "low", "10+"), seen(2, "low", "5+"), seen(3, "low", "1+")],
)
def test_a_screen_that_shows_another_number_or_goes_back_is_found(shown: list[Any]) -> None:
    assert wrong_frames([*GOOD, shown], LOG)


def test_views_that_count_each_change_of_what_the_public_sees_are_right() -> None:
    assert miscounted(LOG) == []
    assert miscounted([event(1, 20, 0), event(2, 19, 0), event(3, 18, 1), event(4, 4, 2)]) == []


@pytest.mark.parametrize("wrong", [event(4, 3, 3), event(4, 0, 2), event(4, 3, 0)])
def test_a_change_that_is_counted_and_is_none_or_is_one_and_is_not_counted_is_found(wrong: dict[str, Any]) -> None:
    assert len(miscounted([*LOG, wrong])) == 1


def test_a_till_may_be_told_that_nobody_is_there_only_while_its_own_ledger_is_away() -> None:
    def told(ledger: str, from_s: float, to_s: float) -> dict[str, Any]:
        return {"till": f"the one before {ledger} 0", "from_s": from_s, "to_s": to_s, "reason": "Unavailable"}

    away = [Disturbance("ledger-0", 10.0, 20.0)]
    assert undisturbed([told("ledger-0", 9.0, 11.0), told("ledger-0", 19.0, 21.0)], away) == []
    assert len(undisturbed([told("ledger-1", 9.0, 11.0)], away)) == 1
    assert len(undisturbed([told("ledger-0", 21.0, 22.0)], away)) == 1
