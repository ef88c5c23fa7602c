"""Reads from the ledger what subscriptions need and the hub does not hold: single levels together, areas in pages."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from functools import partial

from hub.errors import Full, LedgerRefused, LedgerUnavailable, Rewritten
from hub.fanout.fanout import Fanout
from hub.feed.ledger_client import QUERY_KEYS_MAX, LedgerClient, LevelsPage
from hub.feed.pages import Page, Pages, Tell
from hub.stock.held import Area, Held
from wire.messages import LevelState

log = logging.getLogger(__name__)

REQUESTS_MAX = 8  # at once; the ledger and its database serve others too
PAUSE_MIN_S, PAUSE_MAX_S = 0.05, 2.0
TOO_LARGE = 413


class Loader:
    """``notice`` after each flush: it takes what is wanted then, in one request. Failures are retried until it is here.

    ``rewritten``: called when the ledger answers from another history. ``requests``, ``levels_read`` and ``retries``
    are counts for the metrics.
    """

    def __init__(
        self,
        ledger: LedgerClient,
        fanout: Callable[[], Fanout | None],
        schedule_flush: Callable[[], None],
        rewritten: Callable[[Fanout, Rewritten], None],
    ) -> None:
        self._ledger = ledger
        self._fanout = fanout
        self._schedule_flush = schedule_flush
        self._rewritten = rewritten
        self._wanted = asyncio.Event()
        self._slots = asyncio.Semaphore(REQUESTS_MAX)
        self.requests = 0
        self.levels_read = 0
        self.retries = 0

    def notice(self) -> None:
        fanout = self._fanout()
        if fanout is not None and (fanout.levels.wanted or fanout.levels.wanted_areas):
            self._wanted.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._wanted.wait()
                await self._slots.acquire()
                self._wanted.clear()
                fanout = self._fanout()
                work = self._take(fanout) if fanout is not None else None
                if fanout is None or work is None:
                    self._slots.release()
                    continue
                tasks.create_task(self._load(fanout, *work))
                self.notice()

    def _take(self, fanout: Fanout) -> tuple[list[Held], tuple[Area[Held], ...]] | None:
        """The next request: up to 1,000 levels, or one location, or every shard."""
        wanted, areas = fanout.levels.wanted, fanout.levels.wanted_areas
        if wanted:
            taken = list(wanted)[:QUERY_KEYS_MAX]
            for held in taken:
                del wanted[held]
            return taken, ()
        if areas:
            shards = tuple(area for area in areas if isinstance(area.name, int))
            together = shards or (next(iter(areas)),)
            for area in together:
                del areas[area]
            return [], together
        return None

    async def _load(self, fanout: Fanout, levels: list[Held], areas: tuple[Area[Held], ...]) -> None:
        pause_s = PAUSE_MIN_S
        try:
            while fanout is self._fanout():
                try:
                    if await (self._query(fanout, levels) if levels else self._read(fanout, areas)):
                        return
                    fanout.shards.suspicious = True  # the feed asks whether history was rewritten
                    reason = "the answer is from before what this hub has applied"
                except (LedgerUnavailable, LedgerRefused) as error:
                    reason = str(error)
                except Rewritten as error:
                    self._rewritten(fanout, error)
                    return
                log.warning("levels could not be read, trying again reason=%r", reason)
                self.retries += 1
                await asyncio.sleep(pause_s * random.uniform(0.5, 1))
                pause_s = min(2 * pause_s, PAUSE_MAX_S)
        finally:
            self._slots.release()
            self._schedule_flush()

    async def _query(self, fanout: Fanout, levels: list[Held]) -> bool:
        missing = [held for held in levels if held.state is None]
        if not missing:
            return True
        asked = fanout.shards.lasts()
        try:
            answer = self._counted(await self._ledger.query([(held.location, held.sku) for held in missing]))
        except LedgerRefused as refused:
            if refused.status != TOO_LARGE or len(missing) == 1:
                raise
            # names of many bytes, or a ledger that is set to take less: again and again would be refused for ever
            middle = len(missing) // 2
            return await self._query(fanout, missing[:middle]) and await self._query(fanout, missing[middle:])
        if fanout is not self._fanout():
            return True
        heads = _heads(fanout, answer, asked)
        return fanout.loaded(list(zip(missing, answer.read_levels(), strict=True)), heads, asked)

    async def _read(self, fanout: Fanout, areas: tuple[Area[Held], ...]) -> bool:
        """All pages, from the first: what was read in vain is read again, since reads are cheap and rarely fail."""
        name = areas[0].name
        read = partial(self._page, name if isinstance(name, str) else None)
        async with Pages(read, fanout.shards.lasts) as pages:
            while any(fanout.levels.is_reading(area) for area in areas):
                page = await pages.next()
                if page is None or fanout is not self._fanout():
                    return True
                if not self._take_page(fanout, areas, page):
                    return False
                self._schedule_flush()  # whoever waits for the location is given what has come
        return True

    def _take_page(self, fanout: Fanout, areas: tuple[Area[Held], ...], page: Page) -> bool:
        """Returns whether it is new enough. Raises Rewritten."""
        heads = _heads(fanout, page.answer, page.asked)
        try:
            return fanout.page(areas, page.levels, heads, page.asked, last=page.last)
        except Full as full:
            log.error("a whole location is larger than this hub may hold reason=%s", full)
            fanout.levels.abandon(areas)
            return True

    def _counted(self, answer: LevelsPage) -> LevelsPage:
        self.requests += 1
        self.levels_read += len(answer.levels)
        return answer

    async def _page(self, location: str | None, after: str | None, limit: int, tell: Tell) -> LevelsPage:
        """A location that does not exist yet has no levels, as of heads that were read before it was asked for."""
        try:
            return self._counted(await self._ledger.page(location, after, limit, tell))
        except LedgerRefused as refused:
            if refused.status != 404 or after is not None:
                raise
        heads = await self._ledger.heads()
        try:
            return self._counted(await self._ledger.page(location, after, limit, tell))
        except LedgerRefused as refused:
            if refused.status != 404:
                raise
        nothing: list[LevelState] = []
        return LevelsPage(heads.epoch, {str(shard): head for shard, head in heads.by_shard().items()}, nothing, [])


def _heads(fanout: Fanout, answer: LevelsPage, asked: Sequence[int]) -> dict[int, int]:
    """Raises Rewritten if the answer is of another epoch; an old answer of this one is only read again."""
    if answer.epoch != fanout.shards.epoch:
        fanout.shards.confirm(answer.epoch, {}, asked)
    return answer.by_shard()
