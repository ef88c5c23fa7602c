"""Which hub to connect to next."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from stockwire.errors import ConfigurationError, StockwireError, Unavailable

DISCOVERY_TIMEOUT_S = 5.0
"""A ledger answers within milliseconds; one that does not keeps nobody from the hubs already known."""


class Hubs:
    """The hubs in turn, beginning anywhere, so that clients spread; asked for anew after each round. Never the same one
    twice in a row while there are others: a hub that sends a client elsewhere means it.
    """

    def __init__(self, discover: Callable[[], Awaitable[Sequence[str]]]) -> None:
        self._discover = discover
        self._urls: list[str] = []
        self._next = 0

    async def next(self) -> str:
        """A WebSocket URL. Raises StockwireError."""
        if self._next >= len(self._urls):
            await self._ask()
        url = self._urls[self._next]
        self._next += 1
        return url

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(DISCOVERY_TIMEOUT_S):
                urls = list(await self._discover())
        except (StockwireError, TimeoutError) as error:
            if not self._urls:
                raise error if isinstance(error, StockwireError) else Unavailable("the ledger did not answer") from None
            urls = self._urls  # the hubs serve on without a ledger
        if not urls:
            raise ConfigurationError("the ledger names no hubs: set STOCKWIRE_HUB_STREAM_URLS where it runs")
        if sorted(urls) != sorted(self._urls):
            self._urls = _from_anywhere(urls, self._urls[-1:])
        self._next = 0


def _from_anywhere(urls: list[str], last: list[str]) -> list[str]:
    """``last``: the one that was tried last, if there was one."""
    begin = random.randrange(len(urls))
    urls = urls[begin:] + urls[:begin]
    return urls if urls[:1] != last else urls[1:] + urls[:1]
