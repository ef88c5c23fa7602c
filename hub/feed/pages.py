"""The pages of a location, or of everything: while one is on its way and taken, the ledger reads the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import NamedTuple

from hub.errors import LedgerRefused
from hub.feed.ledger_client import LevelsPage
from wire.messages import LevelState

FIRST_LEVELS = 1_000
"""Soon here, and what ledgers of every release take."""
LATER_LEVELS = 5_000
"""The fewer pages, the less each level costs; about 1.2 MB, and 3 MB as objects."""
ASKED_MAX = 2
"""The page that is on its way, or waits to be taken, and the next one: the memory that one reader takes."""
TAKEN_AT_ONCE = 1_000
"""Taking these in holds up everybody else for about 2 ms."""
TURNS_TO_SEND = 8
"""How many turns of the loop the HTTP client takes until a request is on its way. A page keeps this process busy for
milliseconds: taken sooner, it would keep the ledger waiting for as long."""

BAD_REQUEST = 400

Tell = Callable[[str], None]
"""Called as soon as it is known where the page after this one begins; perhaps never, and perhaps several times."""

Read = Callable[[str | None, int, Tell], Awaitable[LevelsPage]]
"""Asks for a page: after which cursor, of how many levels at most."""


class Page(NamedTuple):
    """All or some of the levels of an answer. ``asked``: what this hub had applied, by shard, when it asked for it.
    ``last``: nothing follows.
    """

    answer: LevelsPage
    asked: Sequence[int]
    levels: list[tuple[LevelState, int]]
    last: bool


class _Asked:
    """A page that was asked for. ``following``: where the next one begins, once that is known."""

    def __init__(self, after: str | None, applied: Sequence[int]) -> None:
        self.after = after
        self.applied = applied
        self.following: str | None = None
        self.answer: asyncio.Future[LevelsPage]


class Pages:
    """In order, each once, in pieces. ``read``: what it raises, ``next`` raises.

    A ledger tells where the next page begins before it sends this one; if none does, the page itself says it.
    At most ``ASKED_MAX`` are on their way; leaving the ``async with`` block gives them up.
    """

    def __init__(self, read: Read, applied: Callable[[], Sequence[int]]) -> None:
        self._read = read
        self._applied = applied
        self._later_levels = LATER_LEVELS
        self._asked: deque[_Asked] = deque()
        self._pieces: Iterator[Page] = iter(())

    async def __aenter__(self) -> "Pages":
        self._ask(None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._give_up()

    async def next(self) -> Page | None:
        """None after the last."""
        piece = next(self._pieces, None)
        if piece is not None:
            await asyncio.sleep(0)
        elif self._asked:
            self._pieces = _pieces(*await self._next_answer())
            piece = next(self._pieces)
        return piece

    async def _next_answer(self) -> tuple[LevelsPage, Sequence[int]]:
        asked = self._asked[0]
        answer = await asked.answer
        self._asked.popleft()
        if self._asked and self._asked[0].after != answer.next:
            await self._give_up()  # another ledger had to send this page, and it ends elsewhere than was told at first
        if self._asked:
            self._ask_on()
        elif answer.next is not None:
            self._ask(answer.next)
            for _ in range(TURNS_TO_SEND):
                await asyncio.sleep(0)
        return answer, asked.applied

    def _ask(self, after: str | None) -> None:
        asked = _Asked(after, self._applied())
        asked.answer = asyncio.ensure_future(self._answer(asked))
        self._asked.append(asked)

    def _ask_on(self) -> None:
        newest = self._asked[-1]
        if newest.following is not None and len(self._asked) < ASKED_MAX:
            self._ask(newest.following)

    def _told(self, asked: _Asked, following: str) -> None:
        asked.following = following
        if self._asked and asked is self._asked[-1]:
            self._ask_on()

    async def _answer(self, asked: _Asked) -> LevelsPage:
        tell = partial(self._told, asked)
        if asked.after is not None and self._later_levels > FIRST_LEVELS:
            try:
                return await self._read(asked.after, self._later_levels, tell)
            except LedgerRefused as refused:
                if refused.status != BAD_REQUEST:
                    raise
                self._later_levels = FIRST_LEVELS  # a ledger of 0.1, of which a page has no more
        return await self._read(asked.after, FIRST_LEVELS, tell)

    async def _give_up(self) -> None:
        given_up = [asked.answer for asked in self._asked]
        self._asked.clear()
        for answer in given_up:
            answer.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)


def _pieces(answer: LevelsPage, applied: Sequence[int]) -> Iterator[Page]:
    """At least one."""
    levels = list(zip(answer.levels, answer.view_versions, strict=True))
    for first in range(0, max(1, len(levels)), TAKEN_AT_ONCE):
        last = answer.next is None and first + TAKEN_AT_ONCE >= len(levels)
        yield Page(answer, applied, levels[first : first + TAKEN_AT_ONCE], last)
