"""Events of a level that an endpoint has not had: of the pages that were read last, else of the level's history."""

from collections import OrderedDict
from collections.abc import Sequence

from followers.log.ledger import Event, Ledger
from followers.webhooks.leased import Level
from server.lookups import Lookups

RECENT_MAX = 20_000
"""Events: some 20 MB."""
AT_ONCE_MAX = 200
"""Of one level, that are sent before it is looked at again."""
BLOCKS_MAX = 50
"""Of ``AT_ONCE_MAX`` events of one level: some 10 MB. Who fell behind is behind on the same ones as others."""
BLOCK_S = 60.0


class HistoryGone(Exception):
    """The level has no such events, or those that it has may be of another history."""


class Events:
    """``epoch``: of all that is remembered."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._recent: OrderedDict[tuple[str, str, int], Event] = OrderedDict()
        self._blocks = Lookups(self._block, entries_max=BLOCKS_MAX, keep_s=lambda events: BLOCK_S if events else 0.0)
        self.epoch = ""

    def begin(self, epoch: str) -> None:
        self.epoch = epoch
        self._recent.clear()
        self._blocks.clear()

    def add(self, events: Sequence[Event]) -> None:
        for event in events:
            self._recent[event["location"], event["sku"], event["version"]] = event
        while len(self._recent) > RECENT_MAX:
            self._recent.popitem(last=False)

    async def between(self, level: Level, epoch: str, after: int, newest: int) -> list[Event]:
        """Those behind the version ``after`` up to ``newest``, at least one of them. Raises LedgerAway, HistoryGone;
        also if ``epoch`` is no longer that of the log: its ids are not given to events of another one."""
        versions = range(after + 1, min(newest, after + AT_ONCE_MAX) + 1)
        known = [self._recent.get((*level, version)) for version in versions]
        found = [event for event in known if event is not None]
        if len(found) == len(known) and epoch == self.epoch:
            return found
        if len(versions) == AT_ONCE_MAX:
            events = await self._blocks.get((level, epoch, after - after % AT_ONCE_MAX))
        else:
            events = await self._history(level, epoch, after, len(versions))
        wanted = [event for event in events if after < event["version"] <= newest]
        if not wanted or epoch != self.epoch:
            raise HistoryGone(f"{level[1]} at {level[0]} has no events behind version {after} in epoch {epoch}")
        return wanted

    async def _block(self, block: tuple[Level, str, int]) -> list[Event]:
        return await self._history(*block, AT_ONCE_MAX)

    async def _history(self, level: Level, epoch: str, after: int, count: int) -> list[Event]:
        """Empty if the epoch is another one now."""
        events = await self._ledger.history(*level, after, count)
        now = await self._ledger.shards()  # a history says not of which epoch it is: it was this one, if it still is
        return events if epoch == now["epoch"] else []
