"""Lines of a reservation as they are typed, and for how long: what is meant is taken, all else is refused."""

import pytest
import typer

from stockwire import held, held_from
from stockwire.cli.held_lines import lines_of_hold, lines_to_hold, typed
from stockwire.cli.numbers import duration
from stockwire.reservation import ReservationLine


def test_names_may_have_signs_in_them_as_they_do() -> None:
    words = ["A@berlin", "A=x@berlin=3", "a@b@c=2", "A@x=5=1", "A=7@berlin"]
    assert lines_to_hold(words, None, False) == [
        held("A", "berlin"),
        held("A=x", "berlin", 3),
        held("a@b", "c", 2),
        held("A", "x=5"),
        held("A=7", "berlin"),
    ]


def test_lines_without_a_location_come_from_those_that_were_named() -> None:
    lines = lines_to_hold(["A=2", "B@shop"], "berlin, hamburg", True)
    assert lines == [held_from("A", ["berlin", "hamburg"], 2, split=True), held("B", "shop")]


def test_of_what_is_held_all_units_are_meant_unless_some_are_named() -> None:
    assert lines_of_hold(["A@berlin", "B@berlin=2"]) == [held("A", "berlin", None), held("B", "berlin", 2)]
    assert lines_of_hold(None) is None
    assert lines_of_hold([]) is None


@pytest.mark.parametrize(
    ("words", "locations", "split"),
    [
        (["A"], None, False),
        (["A@berlin"], "hamburg", False),
        (["A@berlin"], None, True),
        (["A"], " ,", False),
        (["A@"], None, False),
        (["@berlin"], None, False),
        (["A@berlin=0"], None, False),
        (["A@berlin=-1"], None, False),
        (["A@berlin=2147483648"], None, False),
    ],
)
def test_what_can_be_no_line_is_wrong_usage(words: list[str], locations: str | None, split: bool) -> None:
    with pytest.raises(typer.BadParameter):
        lines_to_hold(words, locations, split)


def test_a_line_is_shown_as_it_would_be_typed() -> None:
    (line,) = lines_to_hold([typed(ReservationLine("A@x", "berlin", 3, 3, 0, 0, 0, 0))], None, False)
    assert line == held("A@x", "berlin", 3)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7_200), ("1d", 86_400)])
def test_a_time_is_digits_and_perhaps_its_unit(text: str, seconds: int) -> None:
    assert duration(1, 10**6)(text) == seconds


@pytest.mark.parametrize("text", ["0", "-5", "1.5h", "15 m", "15min", "1_0", "", "m", "\u0661m", "12d"])
def test_what_is_no_time_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        duration(1, 10**6)(text)
