"""Events of a level that an endpoint has not had: of the pages that were read last, else of the level's history."""

from collections import OrderedDict
from collections.abc import Sequence

from followers.log.ledger import Event, Ledger
from followers.webhooks.leased import Level

RECENT_MAX = 20_000
"""Events: some 20 MB."""
AT_ONCE_MAX = 200
"""Of one level, that are sent before it is looked at again."""


class HistoryGone(Exception):
    """The level has no such events, or those that it has may be of another history."""


class Events:
    """``epoch``: of all that is remembered."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._recent: OrderedDict[tuple[str, str, int], Event] = OrderedDict()
        self.epoch = ""

    def begin(self, epoch: str) -> None:
        self.epoch = epoch
        self._recent.clear()

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
        events = await self._ledger.history(*level, after, len(versions))
        now = await self._ledger.shards()  # a history says not of which epoch it is: it was this one, if it still is
        if not events or not epoch == self.epoch == now["epoch"]:
            raise HistoryGone(f"{level[1]} at {level[0]} has no events behind version {after} in epoch {epoch}")
        return [event for event in events if event["version"] <= newest]
