"""The ledger reads the next page while one is on its way, none is left out or given twice, and nothing is left of a
reading that is given up.
"""

import asyncio
from collections.abc import Sequence
from unittest.mock import patch

import pytest

import hub.feed.pages
from hub.errors import LedgerRefused, LedgerUnavailable
from hub.feed.ledger_client import LevelsPage
from hub.feed.pages import FIRST_LEVELS, LATER_LEVELS, Page, Pages, Tell
from hub.stock.level_states import absent


class Line:
    """Pages a, b and c. ``told``: what happened in which order. ``early``: what is told of the page after each before
    it is here. ``fails``: the page that cannot be had. ``most``: levels of a page, else it is refused.
    """

    def __init__(
        self, fails: str | None = None, early: dict[str, list[str]] | None = None, most: int = LATER_LEVELS
    ) -> None:
        self.told: list[str] = []
        self.limits: list[int] = []
        self.applied = 0
        self._fails = fails
        self._early = early or {}
        self._most = most

    async def read(self, after: str | None, limit: int, tell: Tell) -> LevelsPage:
        name = chr(ord(after[0]) + 1) if after else "a"
        self.told.append(f"ask {after or 'first'}")
        self.limits.append(limit)
        await asyncio.sleep(0)
        if limit > self._most:
            raise LedgerRefused(400, "limit must be a whole number from 1 to 1000")
        for following in self._early.get(name, ()):
            tell(following)
            await asyncio.sleep(0)
        if name == self._fails:
            raise LedgerUnavailable(name)
        self.told.append(f"have {name}")
        return LevelsPage("e", {}, [absent("berlin", name, 0)], [0], None if name == "c" else name)

    def lasts(self) -> Sequence[int]:
        return [self.applied]

    async def taken(self) -> list[Page]:
        """All of them."""
        taken = []
        async with Pages(self.read, self.lasts) as pages:
            while (page := await pages.next()) is not None:
                self.told.append(f"take {page.levels[0][0].sku}")
                self.applied += 1
                taken.append(page)
        return taken


def skus(pages: Sequence[Page]) -> list[str]:
    return [state.sku for page in pages for state, _ in page.levels]


async def test_the_next_page_is_on_its_way_before_one_is_given() -> None:
    line = Line()
    taken = await line.taken()
    told = ["ask first", "have a", "ask a", "take a", "have b", "ask b", "take b", "have c", "take c"]
    assert sorted(line.told) == sorted(told)
    for name, following in (("a", "ask a"), ("b", "ask b")):
        assert line.told.index(following) < line.told.index(f"take {name}")
    assert [list(page.asked) for page in taken] == [[0], [0], [1]], "what had been applied when each was asked for"
    assert [page.last for page in taken] == [False, False, True]


async def test_a_page_told_of_early_is_asked_for_while_the_one_before_is_on_its_way() -> None:
    line = Line(early={"a": ["a"], "b": ["b"]})
    assert skus(await line.taken()) == ["a", "b", "c"]
    assert line.told.index("ask a") < line.told.index("have a")


async def test_no_more_than_two_pages_are_asked_for_ahead() -> None:
    """A hub that is slow to take them would hold them all."""
    line = Line(early={"a": ["a"], "b": ["b"]})
    async with Pages(line.read, line.lasts) as pages:
        for _ in range(20):
            await asyncio.sleep(0)
        assert line.told == ["ask first", "ask a", "have a", "have b"]
        assert skus([page for page in [await pages.next()] if page is not None]) == ["a"]
        for _ in range(20):
            await asyncio.sleep(0)
        assert line.told[4:] == ["ask b", "have c"]


@pytest.mark.parametrize("told", [["ax", "a"], ["ax"]])
async def test_a_page_that_ends_elsewhere_than_was_told_is_followed_from_its_own_end(told: list[str]) -> None:
    """As after a ledger that breaks off: the next one may end the page earlier, and what lies between must not lack."""
    line = Line(early={"a": told, "b": ["b"]})
    assert skus(await line.taken()) == ["a", "b", "c"]
    assert [one for one in line.told if one.startswith("ask")] == ["ask first", "ask ax", "ask a", "ask b"]


async def test_a_ledger_that_takes_smaller_pages_alone_is_asked_for_those() -> None:
    line = Line(most=FIRST_LEVELS)
    assert skus(await line.taken()) == ["a", "b", "c"]
    assert line.limits == [FIRST_LEVELS, LATER_LEVELS, FIRST_LEVELS, FIRST_LEVELS]


async def test_a_large_page_is_given_in_pieces() -> None:
    """Each holds up everybody else for as long as it is taken in."""
    states = [absent("berlin", str(number), 0) for number in range(5)]

    async def read(_after: str | None, _limit: int, _tell: Tell) -> LevelsPage:
        return LevelsPage("e", {}, states, [0] * 5)

    taken = []
    with patch.object(hub.feed.pages, "TAKEN_AT_ONCE", 2):
        async with Pages(read, lambda: [7]) as pages:
            while (page := await pages.next()) is not None:
                taken.append(page)
    assert skus(taken) == ["0", "1", "2", "3", "4"]
    assert [(len(page.levels), page.last) for page in taken] == [(2, False), (2, False), (1, True)]


async def test_a_page_that_cannot_be_had_is_told_of_when_it_is_due() -> None:
    line = Line(fails="b")
    async with Pages(line.read, line.lasts) as pages:
        assert isinstance(await pages.next(), Page)
        with pytest.raises(LedgerUnavailable):
            await pages.next()


@pytest.mark.parametrize("early", [{}, {"a": ["a"]}])
@pytest.mark.parametrize("fails", ["b", None])
async def test_a_reading_that_is_given_up_leaves_nothing_behind(fails: str | None, early: dict[str, list[str]]) -> None:
    line = Line(fails, early)
    before = asyncio.all_tasks()
    async with Pages(line.read, line.lasts) as pages:
        await pages.next()
    assert asyncio.all_tasks() == before
