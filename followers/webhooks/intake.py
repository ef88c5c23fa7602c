"""From the log to what endpoints are behind on: one live reader for each shard, for all endpoints that are held.

Who comes later, or was away, catches up from its own position until it meets the live reader; whoever comes at the
same time does so together. Of another epoch nothing is jumped over: all levels are compared, which means sent anew.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from followers.database.database import DatabaseAway
from followers.log.follower import PAGE, Follower, Page, Rewritten
from followers.log.ledger import Ledger, LedgerAway
from followers.webhooks.events import Events
from followers.webhooks.leased import Held, Leased, Level
from followers.webhooks.places import Places
from followers.webhooks.planning import Interest, Moved, moved_by
from server.process import first_of
from wire.availability import DEFAULT_STEPS, PublicSteps

AGAIN_S = 1.0
LOOK_EVERY_S = 0.25
"""For endpoints that nobody follows for yet."""
BETWEEN_S = 0.05
"""Between two pages that are not full: what is committed meanwhile comes in one, and is stored in one transaction."""
PAGES_TOGETHER = 10
"""While catching up: a level that moved in many pages is stored once. Some 10 MB of each shard, and
as much that is read ahead."""
ROWS_MAX = 10_000
"""That one transaction writes."""

Follow = dict[Leased, tuple[int, dict[Level, Moved]]]

log = logging.getLogger(__name__)


class Intake:
    """``steps``: how the public sees levels. ``away``: why the log is not followed now."""

    def __init__(self, ledger: Ledger, places: Places, held: Held, events: Events, woken: asyncio.Event) -> None:
        """``woken`` is set when something is due."""
        self._ledger = ledger
        self._places = places
        self._held = held
        self._events = events
        self._woken = woken
        self._live: dict[int, dict[str, Leased]] = {}
        self._followers: dict[int, Follower] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._stored: dict[int, int] = {}
        self._joining: set[Leased] = set()
        self._joined: set[Leased] = set()
        self.steps: PublicSteps = DEFAULT_STEPS
        self.away: str | None = "the log was not read yet"

    @property
    def epoch(self) -> str:
        return self._events.epoch

    @property
    def catching_up(self) -> int:
        """Endpoints that do not stand where the log is read yet."""
        return len(self._joining)

    def lags(self) -> dict[int, int]:
        """Events of each shard that the ledger had when it was last read, and that are not stored yet."""
        return {shard: follower.head - self._stored[shard] for shard, follower in self._followers.items()}

    async def run(self) -> None:
        """Until cancelled. Raises SettingsError if the key is no good."""
        while True:
            try:
                shards = await self._ledger.shards()
                self._begin(shards["epoch"], {one["shard"]: one["head"] for one in shards["shards"]})
                self.steps = PublicSteps(tuple(shards["public"]["steps"]), shards["public"]["low"])
                await self._follow()
            except* LedgerAway as group:
                self._say(str(first_of(group)))
            except* Rewritten:
                log.warning("history was rewritten, all levels are compared")
            await asyncio.sleep(AGAIN_S)

    def _begin(self, epoch: str, heads: dict[int, int]) -> None:
        if epoch != self.epoch:
            self._events.begin(epoch)
        self._followers = {shard: Follower(self._ledger, epoch, shard, head) for shard, head in heads.items()}
        self._live = {shard: {} for shard in heads}
        self._stored = dict(heads)
        self._locks = {shard: asyncio.Lock() for shard in heads}
        self._joining.clear()
        self._joined.clear()
        self._say(None)

    async def _follow(self) -> None:
        """Raises a group of Rewritten."""
        async with asyncio.TaskGroup() as tasks:
            for shard in self._followers:
                tasks.create_task(self._read(shard), name=f"shard {shard}")
            while True:
                self._forget_lost()
                new = [one for one in self._held.endpoints.values() if one not in self._joining | self._joined]
                if new:
                    self._joining.update(new)
                    tasks.create_task(self._join(new), name="join")
                await asyncio.sleep(LOOK_EVERY_S)

    def _forget_lost(self) -> None:
        for leased in [one for one in self._joined if not self._held.has(one)]:
            self._leave(leased)

    def _leave(self, leased: Leased) -> None:
        self._joined.discard(leased)
        self._joining.discard(leased)
        for live in self._live.values():
            if live.get(leased.endpoint.id) is leased:
                del live[leased.endpoint.id]

    async def _read(self, shard: int) -> None:
        """The live reader."""
        follower = self._followers[shard]
        while True:
            try:
                page = await follower.page(wait=self.away is None)
            except LedgerAway as error:
                self._say(str(error))
                await asyncio.sleep(AGAIN_S)
                continue
            self._say(None)
            if page.events:
                self._events.add(page.events)
                async with self._locks[shard]:
                    await self._take(page, list(self._live[shard].values()))
                self._stored[shard] = page.last
            if len(page.events) < PAGE:
                await asyncio.sleep(BETWEEN_S)

    async def _join(self, new: Sequence[Leased]) -> None:
        """Raises Rewritten, also in a group."""
        try:
            positions = await self._places.positions([one.endpoint.id for one in new])
            for leased in new:
                leased.positions = positions[leased.endpoint.id]
            others = {one for one in new if self._is_of_another_history(one)}
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow_for([one for one in new if one not in others]), name="join")
                tasks.create_task(self._compare([one for one in new if one in others]), name="compare")
        except* (DatabaseAway, LedgerAway) as group:
            log.warning("endpoints wait to be followed for endpoints=%d reason=%r", len(new), str(first_of(group)))
            await asyncio.sleep(AGAIN_S)
        finally:
            for leased in new:
                if leased not in self._joined:
                    self._leave(leased)
            self._joining.difference_update(new)

    def _is_of_another_history(self, leased: Leased) -> bool:
        """A head that fell under the same epoch shows when the log is read, and the ledger makes a new epoch of it."""
        return any(
            shard not in leased.positions or leased.positions[shard][0] != self.epoch for shard in self._followers
        )

    async def _follow_for(self, group: Sequence[Leased]) -> None:
        """Raises Rewritten, LedgerAway, also in a group."""
        if not group:
            return
        async with asyncio.TaskGroup() as tasks:
            for shard in self._followers:
                tasks.create_task(self._catch_up(shard, group), name=f"catch up shard {shard}")
        for leased in group:
            leased.catching_up = False
            self._wake(leased)
        self._joined.update(one for one in group if one in self._joining)

    async def _compare(self, group: Sequence[Leased]) -> None:
        """With all levels as they are now, read once for all of the group, a page at a time; what comes behind them is
        caught up on. Raises Rewritten, LedgerAway, DatabaseAway, also in a group."""
        if not group:
            return
        log.warning("endpoints of another epoch are compared with all levels endpoints=%d", len(group))
        for leased in group:
            leased.catching_up = True
        await self._places.begin_again(group)
        alike: dict[Interest, list[Leased]] = defaultdict(list)
        for leased in group:
            alike[leased.interest].append(leased)
        cursor: str | None = None
        heads: dict[int, int] = {}
        while not heads or cursor is not None:
            page = await self._ledger.levels(cursor)
            if page["epoch"] != self.epoch:
                raise Rewritten(page["epoch"])
            heads = heads or {int(shard): head for shard, head in page["heads"].items()}
            for interest, those in alike.items():
                await self._behind_on(page["levels"], interest, those)
            cursor = page["next"]
        await self._places.stand_at(group, self.epoch, heads)
        for leased in group:
            leased.positions = {shard: (self.epoch, head) for shard, head in heads.items()}
        await self._follow_for(group)

    async def _behind_on(self, levels: Sequence[dict[str, Any]], interest: Interest, group: Sequence[Leased]) -> None:
        rows = [
            (one["location"], one["sku"], one["version"], one["shard"])
            for one in levels
            if interest.sight(one["location"], one["sku"]) is not None
        ]
        at_once = max(1, ROWS_MAX // max(1, len(rows)))
        for at in range(0, len(group), at_once):
            await self._places.compared(group[at : at + at_once], self.epoch, rows)

    async def _catch_up(self, shard: int, new: Sequence[Leased]) -> None:
        """Until they meet the live reader. Raises Rewritten, LedgerAway."""
        live = self._followers[shard]
        stored = min(one.positions[shard][1] for one in new)
        async with aclosing(_ahead(Follower(self._ledger, self.epoch, shard, stored))) as pages:
            while True:
                async with self._locks[shard]:
                    group = [one for one in new if one in self._joining]
                    if stored >= live.seq or not group:
                        self._live[shard].update((one.endpoint.id, one) for one in group)
                        return
                page = await anext(pages)
                if page.events:
                    self._events.add(page.events)
                    await self._take(page, group)
                    stored = page.last
                else:
                    await asyncio.sleep(LOOK_EVERY_S)  # another ledger has not seen yet what the live reader has

    async def _take(self, page: Page, group: Sequence[Leased]) -> None:
        """Returns when it is stored, however long the database is away: the log waits."""
        known: dict[tuple[Interest, int], dict[Level, Moved]] = {}
        follow: Follow = {}
        rows = 0
        for leased in group:
            _, seq = leased.positions[page.shard]
            if seq >= page.last or not self._held.has(leased):
                continue
            key = leased.interest, seq
            if key not in known:
                known[key] = moved_by(leased.interest, page.behind(seq), self.steps)
            follow[leased] = seq, known[key]
            rows += len(known[key])
            if rows > ROWS_MAX:
                await self._store(page, follow)
                follow, rows = {}, 0
        if follow:
            await self._store(page, follow)

    async def _store(self, page: Page, follow: Follow) -> None:
        while True:
            try:
                done = await self._places.moved((page.epoch, page.shard, page.last), follow)
                break
            except DatabaseAway as error:
                log.warning("the log waits reason=%r", str(error))
                await asyncio.sleep(AGAIN_S)
        for leased, (_, levels) in follow.items():
            if leased not in done:
                self._leave(leased)  # the lease is lost, or it was done before: where it stands is read again
                continue
            leased.positions[page.shard] = page.epoch, page.last
            if levels:
                self._wake(leased)

    def _wake(self, leased: Leased) -> None:
        leased.look_at(0.0)
        self._woken.set()

    def _say(self, away: str | None) -> None:
        if away is not None and self.away is None:
            log.warning("the log is not followed reason=%r", away)
        elif away is None and self.away is not None:
            log.info("the log is followed")
        self.away = away


async def _ahead(follower: Follower) -> AsyncGenerator[Page, None]:
    """Without end. While some are stored the next ones are read, if there were more: two cores work at once.

    Raises Rewritten, LedgerAway.
    """
    reading: asyncio.Task[Page] | None = None
    try:
        while True:
            page = await (reading or _pages(follower))
            reading = asyncio.create_task(_pages(follower)) if len(page.events) >= PAGE * PAGES_TOGETHER else None
            yield page
    finally:
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _pages(follower: Follower) -> Page:
    """Some that follow each other, as one. Raises Rewritten, LedgerAway: then where it stands says nothing any more."""
    page = await follower.page(wait=False)
    events = page.events
    for _ in range(PAGES_TOGETHER - 1):
        if len(page.events) < PAGE:
            break
        page = await follower.page(wait=False)
        events = [*events, *page.events]
    return replace(page, events=events)
