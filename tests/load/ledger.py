"""The ledger as a run uses it for itself: to make what is sold, and to read the audit. Over the public HTTP API.

The SDK's blocking transport and calls, which work as they are under gevent; `stockwire.Client` itself has no method for
shards and the feed.
"""

import logging
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from stockwire import call
from stockwire.call import Call
from stockwire.errors import NotFound, StockwireError
from stockwire.level import Level
from stockwire.operation import Event, OperationResult
from stockwire.request import Request
from stockwire.settings import Settings
from stockwire.sync.transport import Transport
from tests.load.caller import POLICY, TIMEOUT_S
from tests.load.catalogue import Catalogue
from tests.load.verdict import Log

EVENTS_PER_PAGE = 1_000


class NotNew(StockwireError):
    """The location is there already: its stock would not add up with what this run does."""


class Ledger:
    """``key`` needs the scopes feed, admin, stock:read and stock:write. Use as a context manager."""

    def __init__(self, settings: Settings) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of each request, among locust's own lines
        self._transport = Transport(settings.url, settings.key, POLICY, TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def hubs(self) -> list[str]:
        return self._transport.call(call.hubs())

    def heads(self) -> tuple[str, dict[int, int]]:
        """The epoch, and the last seq of each shard."""
        document = self._transport.call(Call(Request("GET", "/v1/shards"), lambda document, _: document))
        return document["epoch"], {row["shard"]: row["head"] for row in document["shards"]}

    def stock_up(self, catalogue: Catalogue, key: str) -> OperationResult:
        """The location, its skus and their opening stock, in one operation. Raises NotNew."""
        try:
            self._transport.call(call.location(catalogue.location))
        except NotFound:
            pass
        else:
            raise NotNew(f"location {catalogue.location} is there already: name another one, or none")
        self._transport.call(call.put_location(catalogue.location, "Launch rehearsal"))
        for sku in catalogue.skus:
            self._transport.call(call.put_item(sku, sku, None, None, None))
        return self._transport.call(call.operation(catalogue.opening(key), key))

    def levels(self, location: str) -> dict[str, Level]:
        return {level.sku: level for level in self._transport.listing(call.levels(location))}

    def log(self, location: str, since: tuple[str, dict[int, int]]) -> Log:
        """Everything that was booked at ``location`` since ``since`` (what `heads` gave), and its levels now."""
        epoch, heads = since
        events: list[Event] = []
        gaps = 0
        for shard, head in heads.items():
            last, found = head, 0
            for event in self._events(shard, head):
                last, found = event.seq, found + 1
                if event.location == location:
                    events.append(event)
            gaps += last - head - found
        return Log(events, self.levels(location), gaps, rewritten=self.heads()[0] != epoch)

    def _events(self, shard: int, after: int) -> Iterator[Event]:
        while events := self._transport.call(_page(shard, after)):
            yield from events
            after = events[-1].seq


def _page(shard: int, after: int) -> Call[list[Event]]:
    query = {"shard": str(shard), "after": str(after), "limit": str(EVENTS_PER_PAGE)}
    return Call(
        Request("GET", "/v1/events", query), lambda document, _: [Event.parse(row) for row in document["events"]]
    )
