"""Takes commands for as long as the process runs: reaches the broker anew whenever it was away."""

import asyncio
import logging
import random
from contextlib import suppress

from followers.intake.applying import Applying
from followers.intake.source import Source, SourceAway, SourceRefused

AGAIN_S, AGAIN_S_MAX = 0.2, 10.0
"""Between two tries to reach the broker: doubled each time, and up to so much again, so that not all come at once."""
WELL_S = 30.0
"""After which the next trouble is a new one."""
REFUSED_S = 30.0
"""Until it is seen whether somebody has mended what is set up there."""

log = logging.getLogger(__name__)


class Consuming:
    """``away``: why no commands come now, None while they may."""

    def __init__(self, source: Source, applying: Applying) -> None:
        self._source = source
        self._applying = applying
        self.away: str | None = "the broker was not reached yet"

    async def run(self, stopping: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        tries = 0
        while not stopping.is_set():
            begun = loop.time()
            try:
                await self._source.run(self._applying, stopping, self._reached)
            except SourceAway as error:
                tries = 0 if loop.time() - begun > WELL_S else tries
                wait_s = min(AGAIN_S * 2**tries, AGAIN_S_MAX) * (1 + random.random())
                tries = min(tries + 1, 10)
                self._trouble(str(error))
                await _either(stopping, wait_s)
            except SourceRefused as error:
                self._trouble(str(error))
                await _either(stopping, REFUSED_S)

    def _reached(self) -> None:
        if self.away is not None:
            log.info("commands may come from the broker")
        self.away = None

    def _trouble(self, why: str) -> None:
        self._applying.counts.reconnected += 1
        if why != self.away:
            log.warning("no commands come from the broker reason=%r", why)
        self.away = why


async def _either(stopping: asyncio.Event, wait_s: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), wait_s)
