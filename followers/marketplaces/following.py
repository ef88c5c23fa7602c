"""From the log to what channels are behind on: one live reader for each shard, for all channels that are held.

A channel that was away a while is caught up from its own position; one that was away long, or whose position is of
another epoch, is compared whole: all of its listings are due, and what stands there already is not sent again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from followers.database.database import DatabaseAway
from followers.log.follower import Follower, Page, Rewritten
from followers.log.ledger import Event, Ledger, LedgerAway
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.positions import Moved, Positions

AGAIN_S = 1.0
LOOK_EVERY_S = 0.25
"""For channels that nobody follows for yet."""
BETWEEN_S = 0.02
"""Between two pages on which little is: what is committed meanwhile comes in one transaction."""
FULL = 200
"""Events of a page after which the next is asked for at once."""
CAUGHT_UP_MAX = 5_000
"""Events that are read again for a channel that was away; behind on more it is compared."""

log = logging.getLogger(__name__)


class Following:
    """``held``: the channels of this process, by id. ``away``: why the log is not followed now."""

    def __init__(self, ledger: Ledger, positions: Positions, held: Callable[[], Mapping[str, LeasedChannel]]) -> None:
        self._ledger = ledger
        self._positions = positions
        self._held = held
        self._lock = asyncio.Lock()
        self._live: list[LeasedChannel] = []
        self._followers: dict[int, Follower] = {}
        self._epoch = ""
        self.away: str | None = "the log was not read yet"

    async def run(self) -> None:
        """Until cancelled. Raises SettingsError if the key is no good."""
        while True:
            try:
                shards = await self._ledger.shards()
                self._epoch = shards["epoch"]
                heads = {one["shard"]: one["head"] for one in shards["shards"]}
                self._followers = {
                    shard: Follower(self._ledger, self._epoch, shard, head) for shard, head in heads.items()
                }
                self._live = []
                self._say(None)
                await self._follow()
            except* LedgerAway as group:
                self._say(str(group.exceptions[0]))
            except* Rewritten:
                log.warning("history was rewritten, all channels are compared")
            await asyncio.sleep(AGAIN_S)

    async def _follow(self) -> None:
        """Raises a group of Rewritten."""
        async with asyncio.TaskGroup() as tasks:
            for shard in self._followers:
                tasks.create_task(self._read(shard), name=f"shard {shard}")
            while True:
                held = self._held()
                self._live = [one for one in self._live if held.get(one.id) is one]
                for leased in list(held.values()):
                    if leased not in self._live:
                        await self._join(leased)
                await asyncio.sleep(LOOK_EVERY_S)

    async def _read(self, shard: int) -> None:
        """The live reader. Raises Rewritten."""
        follower = self._followers[shard]
        while True:
            async with self._lock:
                live = list(self._live)
            if not live:
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            try:
                page = await follower.page(wait=self.away is None)
            except LedgerAway as error:
                self._say(str(error))
                await asyncio.sleep(AGAIN_S)
                continue
            self._say(None)
            if page.events:
                async with self._lock:
                    await self._take(page, self._live)
            if len(page.events) < FULL:
                await asyncio.sleep(BETWEEN_S)

    async def _join(self, leased: LeasedChannel) -> None:
        """Raises Rewritten. The live readers wait meanwhile."""
        async with self._lock:
            try:
                if not await self._catch_up(leased, await self._positions.of(leased)):
                    heads = {shard: follower.seq for shard, follower in self._followers.items()}
                    log.info("a channel is compared with all levels channel=%s", leased.id)
                    if not await self._positions.compare(leased, self._epoch, heads):
                        return
            except (DatabaseAway, LedgerAway) as error:
                log.warning("a channel waits to be followed for channel=%s reason=%r", leased.id, str(error))
                return
            self._live.append(leased)
        leased.due.set()

    async def _catch_up(self, leased: LeasedChannel, positions: Mapping[int, tuple[str, int]]) -> bool:
        """Whether it stands where the live readers do."""
        behind = {}
        for shard, live in self._followers.items():
            epoch, seq = positions.get(shard, ("", 0))
            if epoch != self._epoch or seq > live.seq:
                return False
            behind[shard] = live.seq - seq
        if sum(behind.values()) > CAUGHT_UP_MAX:
            return False
        for shard, number in behind.items():
            follower = Follower(self._ledger, self._epoch, shard, self._followers[shard].seq - number)
            while follower.seq < self._followers[shard].seq:
                page = await follower.page(wait=False)
                if not page.events:
                    return False  # another ledger has not seen yet what the live reader has
                if leased not in await self._positions.moved(moved_by(page, self._followers[shard].seq), [leased]):
                    return False
        return True

    async def _take(self, page: Page, live: Sequence[LeasedChannel]) -> None:
        """Returns when it is stored, however long the database is away: the log waits."""
        while True:
            group = [leased for leased in live if leased.is_held]
            try:
                done = await self._positions.moved(moved_by(page), group)
                break
            except DatabaseAway as error:
                log.warning("the log waits reason=%r", str(error))
                await asyncio.sleep(AGAIN_S)
        self._live = [leased for leased in self._live if leased in done]
        for leased in done:
            leased.due.set()

    def _say(self, away: str | None) -> None:
        if away is not None and self.away is None:
            log.warning("the log is not followed reason=%r", away)
        elif away is None and self.away is not None:
            log.info("the log is followed")
        self.away = away


def moved_by(page: Page, until_seq: int | None = None) -> Moved:
    """The levels that the page moves; up to ``until_seq``."""
    events: list[Event] = [one for one in page.events if until_seq is None or one["seq"] <= until_seq]
    levels: dict[tuple[str, str], datetime] = {}
    fell: dict[tuple[str, str], datetime] = {}
    for one in events:
        level, at = (one["location"], one["sku"]), datetime.fromisoformat(one["committed_at"])
        levels[level] = at
        if one["on_hand_delta"] < one["reserved_delta"]:
            fell.setdefault(level, at)
    return Moved(page.epoch, page.shard, events[0]["seq"] - 1, events[-1]["seq"], levels, fell)
