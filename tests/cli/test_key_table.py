"""Which key means what, and what is refused: without a terminal."""

import pytest

from cli.terminal.key_table import HELP, HINT, KEYS, KILLS_MAX, WINDOW_S, Action, Turns, action_of


@pytest.mark.parametrize(
    ("typed", "action"),
    [
        ("f", Action.FLASH_SALE),
        ("F", Action.FLASH_SALE),
        ("kkk", Action.KILL_HUB),
        ("?", Action.HELP),
        ("", None),
        ("x", None),
        ("\x1b[b", None),
        ("bring back the q", None),
    ],
)
def test_a_held_key_counts_once_a_paste_or_an_arrow_never(typed: str, action: Action | None) -> None:
    assert action_of(typed) is action


def test_every_key_is_explained() -> None:
    for key, action in KEYS.items():
        assert action is Action.HELP or (f"{key} " in HINT and f"  {key}  " in HELP)


def test_a_second_one_is_refused_in_words_until_the_first_has_ended() -> None:
    turns = Turns(hubs=2)
    assert turns.begin(Action.FLASH_SALE) is None
    assert "under way already" in str(turns.begin(Action.FLASH_SALE))
    assert turns.begin(Action.KILL_HUB) is None
    turns.end(Action.FLASH_SALE)
    assert turns.begin(Action.FLASH_SALE) is None


def test_no_hub_is_killed_so_often_that_its_supervisor_gives_up() -> None:
    turns = Turns(hubs=2)
    killed = [turns.hub_to_kill(now=float(second)) for second in range(2 * KILLS_MAX)]
    assert killed == [1, 2] * KILLS_MAX
    assert turns.hub_to_kill(now=20.0) is None
    assert turns.hub_to_kill(now=WINDOW_S) == 1
