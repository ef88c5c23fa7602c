"""The ledger as a run uses it for itself: to make what is sold, and to read the audit. Over the public HTTP API."""

import logging
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx

from stockwire import request
from stockwire.answer import Answer
from stockwire.errors import NotFound, OutcomeUnknown, StockwireError, Unavailable
from stockwire.level import Level
from stockwire.operation import Event, OperationResult
from stockwire.request import Request
from stockwire.settings import Settings
from tests.load.caller import TIMEOUT_S, call
from tests.load.catalogue import Catalogue
from tests.load.verdict import Log

EVENTS_PER_PAGE = 1_000


class NotNew(StockwireError):
    """The location is there already: its stock would not add up with what this run does."""


class Ledger:
    """``key`` needs the scopes feed, admin, stock:read and stock:write. Use as a context manager."""

    def __init__(self, settings: Settings) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of each request, among locust's own lines
        headers = {} if settings.key is None else {"Authorization": f"Bearer {settings.key}"}
        secure = settings.url.startswith("https:")  # loading certificates for nothing holds up a busy machine
        self._http = httpx.Client(base_url=settings.url, headers=headers, timeout=TIMEOUT_S, verify=secure)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def hubs(self) -> list[str]:
        return [hub["stream"] for hub in self._call(request.discovery())["hubs"]]

    def heads(self) -> tuple[str, dict[int, int]]:
        """The epoch, and the last seq of each shard."""
        document = self._call(Request("GET", "/v1/shards"))
        return document["epoch"], {row["shard"]: row["head"] for row in document["shards"]}

    def stock_up(self, catalogue: Catalogue, key: str) -> OperationResult:
        """The location, its skus and their opening stock, in one operation. Raises NotNew."""
        try:
            self._call(request.thing("locations", catalogue.location))
        except NotFound:
            pass
        else:
            raise NotNew(f"location {catalogue.location} is there already: name another one, or none")
        self._call(request.put_thing("locations", catalogue.location, {"name": "Launch rehearsal"}))
        for sku in catalogue.skus:
            self._call(request.put_thing("items", sku, {"name": sku}))
        document = self._call(request.operation(catalogue.opening(key), key))
        return OperationResult.parse(document, key=key, replayed=False)

    def levels(self, location: str) -> dict[str, Level]:
        found: dict[str, Level] = {}
        after: str | None = None
        while True:
            document = self._call(request.levels(location, after))
            found |= {row["sku"]: Level.parse(row) for row in document["levels"]}
            after = document["next"]
            if after is None:
                return found

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
        while True:
            query = {"shard": str(shard), "after": str(after), "limit": str(EVENTS_PER_PAGE)}
            rows = self._call(Request("GET", "/v1/events", query))["events"]
            yield from (Event.parse(row) for row in rows)
            if len(rows) < EVENTS_PER_PAGE:
                return
            after = rows[-1]["seq"]

    def _call(self, asked: Request) -> dict[str, Any]:
        return call(self._send, asked)[0]

    def _send(self, asked: Request) -> Answer:
        try:
            response = self._http.request(
                asked.method, asked.path, params=dict(asked.query), content=asked.body, headers=asked.headers()
            )
        except httpx.ConnectError as error:
            raise Unavailable(f"the ledger at {self._http.base_url} cannot be reached: {error}") from error
        except httpx.RequestError as error:
            raise OutcomeUnknown(f"the ledger at {self._http.base_url} did not answer: {error}") from error
        return Answer(response.status_code, response.headers, response.content)
