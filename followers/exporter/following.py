"""Reads the log for the audit, shard by shard; all levels, page by page; and the end of the log a second time.

Each at a pace of its own that does not grow with what is sold: a page holds what was committed meanwhile.
"""

import asyncio
import itertools
import logging

from followers.exporter.counts import Counts
from followers.exporter.history import History
from followers.exporter.violations import Violations
from followers.log.follower import PAGE, Rewritten
from followers.log.ledger import Ledger, LedgerAway

AGAIN_S = 1.0
"""After the ledger was away, or had nothing to say."""
BETWEEN_S = 0.25
"""Between two pages of a shard that are not full."""
LEVELS_PAGE = 1_000
"""As many as whoever is no hub may ask for: some 10 ms of a ledger's processor."""
LEVELS_EVERY_S = 1.0
"""Between two pages of levels: 100,000 levels are compared in 100 s."""
FIRST_EVERY_S = 0.1
"""In the first walk, by which levels become known."""
REREAD_EVERY_S = 0.5
"""Between two looks, each at the end of another shard."""
INSERTED_MAX = 50
"""Events that somebody may have put between those that are read again, and still all are seen."""

log = logging.getLogger(__name__)


class Following:
    """``history``: what is known, None before the ledger first answered. ``away``: by shard, why it is not read now;
    of None, why nothing is."""

    def __init__(self, ledger: Ledger, levels_max: int, *, from_start: bool) -> None:
        self._ledger = ledger
        self._levels_max = levels_max
        self._from_start = from_start
        self.violations = Violations()
        self.counts = Counts()
        self.history: History | None = None
        self._away: dict[int | None, str] = {None: "the log was not read yet"}

    @property
    def away(self) -> str | None:
        """Why the log is not followed now."""
        return next(iter(self._away.values()), None)

    async def run(self) -> None:
        """Until cancelled. Raises a group of SettingsError if the key is no good."""
        while True:
            try:
                shards = await self._ledger.shards()
                await self._follow(
                    self._begin(shards["epoch"], {one["shard"]: one["head"] for one in shards["shards"]})
                )
            except* LedgerAway as group:
                self._say(None, str(group.exceptions[0]))
            except* Rewritten:
                log.error("history was rewritten, the audit begins anew")
            await asyncio.sleep(AGAIN_S)

    def _begin(self, epoch: str, heads: dict[int, int]) -> History:
        if self.history is not None and self.history.epoch != epoch:
            self.counts.rewritten += 1
        self.history = History(
            self._ledger,
            epoch,
            heads,
            self._levels_max,
            self.violations,
            self.counts,
            from_start=self._from_start,
        )
        for shard in list(self._away):
            self._say(shard, None)
        return self.history

    async def _follow(self, history: History) -> None:
        """Raises a group of Rewritten."""
        async with asyncio.TaskGroup() as tasks:
            for shard in history.followers:
                tasks.create_task(self._read(history, shard), name=f"shard {shard}")
            tasks.create_task(self._walk(history), name="levels")
            tasks.create_task(self._reread(history), name="again")

    async def _read(self, history: History, shard: int) -> None:
        """Raises Rewritten."""
        follower = history.followers[shard]
        while True:
            try:
                page = await follower.page(wait=shard not in self._away)
            except LedgerAway as error:
                self._say(shard, str(error))
                await asyncio.sleep(AGAIN_S)
                continue
            self._say(shard, None)
            history.take(page)
            if len(page.events) < PAGE:
                await asyncio.sleep(BETWEEN_S)

    async def _walk(self, history: History) -> None:
        """All levels, again and again, whenever everything that is known of is audited."""
        after: str | None = None
        every_s = FIRST_EVERY_S
        while True:
            await asyncio.sleep(every_s)
            if not history.is_caught_up():
                continue
            try:
                with history.known.leaving() as gone:
                    page = await self._ledger.levels(after, LEVELS_PAGE)
                    heads = {int(shard): head for shard, head in page["heads"].items()}
                    if page["epoch"] != history.epoch or not await history.up_to(heads):
                        continue
                    after = page["next"]
                    history.walk.page(page["levels"], heads, gone, last=after is None)
                    if after is None:
                        every_s = LEVELS_EVERY_S
            except LedgerAway:
                await asyncio.sleep(AGAIN_S)

    async def _reread(self, history: History) -> None:
        """Without waiting: then it is the database that answers, not what a ledger remembers."""
        for shard in itertools.cycle(history.followers):
            await asyncio.sleep(REREAD_EVERY_S)
            if (tail := history.audit.tail(shard)) is None:
                continue
            first, last = tail
            limit = min(PAGE, last - first + 1 + INSERTED_MAX)
            try:
                answer = await self._ledger.events(shard, first - 1, limit)
            except LedgerAway:
                continue
            events = answer["events"]
            if answer["epoch"] == history.epoch and answer["head"] >= last:  # else the reader is told, too
                until = min(last, events[-1]["seq"] - 1) if len(events) == limit else last
                history.audit.again(shard, first, until, events)

    def _say(self, shard: int | None, away: str | None) -> None:
        was = self.away
        if away is None:
            self._away.pop(shard, None)
        else:
            self._away[shard] = away
        if was is None and away is not None:
            log.warning("the log is not followed reason=%r", away)
        elif was is not None and self.away is None:
            log.info("the log is followed")
