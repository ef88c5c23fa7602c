"""Which hub to connect to next."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from stockwire.errors import ConfigurationError, StockwireError, Unavailable

DISCOVERY_TIMEOUT_S = 5.0
"""A ledger answers within milliseconds; one that does not keeps nobody from the hubs already known."""


class Hubs:
    """Each hub once in a round, in any order, so that clients spread, those of one hub over all others; asked for anew
    after each round. Never the same one twice in a row while there are others: a hub that sends a client elsewhere
    means it.
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
        last = self._urls[-1:]
        self._urls, self._next = random.sample(urls, len(urls)), 0
        if self._urls[:1] == last:
            self._urls.append(self._urls.pop(0))
