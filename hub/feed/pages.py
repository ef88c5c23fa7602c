"""The pages of a location, or of everything: while one is taken, the ledger reads the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import NamedTuple

from hub.feed.ledger_client import LevelsPage

TURNS_TO_SEND = 8
"""How many turns of the loop the HTTP client takes until a request is on its way. A page keeps this process busy for
milliseconds: taken sooner, it would keep the ledger waiting for as long."""


class Page(NamedTuple):
    """``asked``: what this hub had applied, by shard, when it asked for the page."""

    answer: LevelsPage
    asked: Sequence[int]


class Pages:
    """In order, each once. ``read``: asks for the page after another; what it raises, ``next`` raises.

    At most one page is on its way; leaving the ``async with`` block gives it up.
    """

    def __init__(
        self, read: Callable[[str | None], Awaitable[LevelsPage]], applied: Callable[[], Sequence[int]]
    ) -> None:
        self._read = read
        self._applied = applied
        self._asked: Sequence[int] = ()
        self._coming: asyncio.Future[LevelsPage] | None = None

    async def __aenter__(self) -> "Pages":
        self._ask(None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)

    async def next(self) -> Page | None:
        """None after the last."""
        if self._coming is None:
            return None
        page = Page(await self._coming, self._asked)
        self._coming = None
        if page.answer.next is not None:
            self._ask(page.answer.next)
            for _ in range(TURNS_TO_SEND):
                await asyncio.sleep(0)
        return page

    def _ask(self, after: str | None) -> None:
        self._asked = self._applied()
        self._coming = asyncio.ensure_future(self._read(after))
