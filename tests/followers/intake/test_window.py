"""Nothing overtakes on a level, and nothing waits that has no reason to."""

from hypothesis import given
from hypothesis import strategies as st

from followers.intake.window import Window

KEYS = st.one_of(st.none(), st.frozensets(st.sampled_from("abcd"), max_size=3))


@given(st.lists(KEYS, max_size=30), st.randoms(use_true_random=False))
def test_each_waits_for_those_before_it_that_share_a_key_and_for_no_others(
    all_keys: list[frozenset[str] | None], chance: object
) -> None:
    """Also where some give up before it is their turn."""
    window = Window()
    inside: dict[int, frozenset[str] | None] = {}
    started: set[int] = set()
    waiting = list(enumerate(all_keys))

    def expected() -> set[int]:
        """By the rule, in so many words."""
        order = sorted(inside)
        return {
            one for one in order if not any(before < one and _conflict(inside[before], inside[one]) for before in order)
        }

    while waiting or inside:
        enters = waiting and (not inside or chance.random() < 0.6)  # type: ignore[attr-defined]  # a Random
        if enters:
            token, keys = waiting.pop(0)
            inside[token] = keys
            if window.enter(token, keys):
                started.add(token)
        else:
            gives_up = chance.random() < 0.3  # type: ignore[attr-defined]  # a Random
            token = chance.choice(sorted(inside if gives_up else started))  # type: ignore[attr-defined]  # a Random
            del inside[token]
            started.discard(token)
            started.update(window.leave(token))
            assert window.leave(token) == []
        assert started == expected()
        assert len(window) == len(inside)
    assert [window._lines, window._alone, window._waiting] == [{}, {}, {}], "what has left is forgotten"


def _conflict(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    return one is None or other is None or bool(one & other)


def test_whoever_gives_up_its_turn_lets_nobody_overtake_and_holds_up_nobody() -> None:
    window = Window()
    assert window.enter(0, "a")
    assert not window.enter(1, "a")
    assert not window.enter(2, "a")
    assert window.leave(1) == []
    assert window.leave(2) == []
    assert not window.enter(3, "a")
    assert window.leave(0) == [3]
