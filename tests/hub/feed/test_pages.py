"""The ledger reads the next page while one is taken, and nothing is left of a reading that is given up."""

import asyncio
from collections.abc import Sequence

import pytest

from hub.errors import LedgerUnavailable
from hub.feed.ledger_client import LevelsPage
from hub.feed.pages import Page, Pages


class Line:
    """Pages a, b and c. ``told``: what happened in which order. ``fails``: the page that cannot be had."""

    def __init__(self, fails: str | None = None) -> None:
        self.told: list[str] = []
        self.applied = 0
        self._fails = fails

    async def read(self, after: str | None) -> LevelsPage:
        name = chr(ord(after) + 1) if after else "a"
        self.told.append(f"ask {name}")
        await asyncio.sleep(0)
        if name == self._fails:
            raise LedgerUnavailable(name)
        return LevelsPage("e", {}, [], [], None if name == "c" else name)

    def lasts(self) -> Sequence[int]:
        return [self.applied]


async def test_the_next_page_is_on_its_way_before_one_is_given() -> None:
    line = Line()
    asked = []
    async with Pages(line.read, line.lasts) as pages:
        while (page := await pages.next()) is not None:
            line.told.append("take")
            line.applied += 1
            asked.append(list(page.asked))
    assert line.told == ["ask a", "ask b", "take", "ask c", "take", "take"]
    assert asked == [[0], [0], [1]], "what had been applied when each was asked for"


async def test_a_page_that_cannot_be_had_is_told_of_when_it_is_due() -> None:
    line = Line(fails="b")
    async with Pages(line.read, line.lasts) as pages:
        assert isinstance(await pages.next(), Page)
        with pytest.raises(LedgerUnavailable):
            await pages.next()


@pytest.mark.parametrize("fails", ["b", None])
async def test_a_reading_that_is_given_up_leaves_nothing_behind(fails: str | None) -> None:
    line = Line(fails)
    before = asyncio.all_tasks()
    async with Pages(line.read, line.lasts) as pages:
        await pages.next()
    assert asyncio.all_tasks() == before
