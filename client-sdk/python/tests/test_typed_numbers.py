"""Numbers are what people mean: Python takes more for one, and a number taken for another moves stock."""

from decimal import Decimal

import pytest
import typer

from stockwire.cli.numbers import amount, number, whole

NOBODY_MEANS = ["1_0", "+5", " 5 ", "５", "1e3", "0x10", "inf", "nan", "", "1.", ".5", "--5", "1,5", "9" * 19, "٣"]


@pytest.mark.parametrize("text", NOBODY_MEANS)
def test_what_nobody_means_is_no_number(text: str) -> None:
    for parse in (whole(), number(), amount):
        with pytest.raises(typer.BadParameter, match="is no"):
            parse(text)


def test_what_is_meant_is_taken_as_it_is() -> None:
    assert (whole()("10"), whole()("-3"), whole()("007")) == (10, -3, 7)
    assert (number()("0.5"), number()("40")) == (0.5, 40)
    assert amount("2.50") == Decimal("2.50")


def test_bounds_are_said_and_may_be_reached() -> None:
    assert (whole(1)("1"), whole(1, 3600)("3600"), number(0)("0")) == (1, 3600, 0)
    for parse, text, said in ((whole(1), "0", "of at least 1"), (whole(1, 3600), "3601", "from 1 to 3600")):
        with pytest.raises(typer.BadParameter, match=f"{text} is out of range: .*{said}"):
            parse(text)
