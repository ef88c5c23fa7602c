"""``GET /v1/discovery`` on a hub: the ledger's own answer, so that whoever knows one hub finds everything.

It is kept: pages that load ask for it far more often than it changes, and while no ledger answers the hubs serve on.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import LedgerRefused, LedgerUnavailable
from hub.feed.ledger_client import LedgerClient
from hub.reads.readers import Readers
from server.http.query import Query
from server.lookups import Lookups
from server.rates.rate_limits import ALLOWANCE

KEEP_S = 10.0
"""A hub that is new to the ledgers is told of after this, and what caches add to it."""
KEEP_OLD_S = 2.0
"""While no ledger answers, what was known is told on, and they are asked no more often than this."""
CACHEABLE = "public, max-age=10, stale-while-revalidate=60, stale-if-error=3600"
"""Hubs come and go rarely, and one that is gone is noticed by whoever tries it."""


class Discovery:
    """Says nothing but addresses, so anybody may ask; by address they are counted as other reads without a key."""

    def __init__(self, ledger: LedgerClient, readers: Readers) -> None:
        self._ledger = ledger
        self._readers = readers
        self._known: bytes | None = None
        self._fresh = True
        self._answers: Lookups[str, bytes] = Lookups(
            self._load,
            entries_max=1,
            keep_s=lambda _: KEEP_S if self._fresh else KEEP_OLD_S,
            clock=asyncio.get_running_loop().time,
        )

    async def discover(self, request: Request) -> Response:
        """GET /v1/discovery"""
        Query(request)
        self._readers.anybody(request)
        content = await self._answers.get("")
        request.scope.pop(ALLOWANCE, None)  # what a shared cache keeps says nothing of who asked
        return Response(content, headers={"Cache-Control": CACHEABLE}, media_type="application/json")

    async def _load(self, _: str) -> bytes:
        """Raises LedgerUnavailable when no ledger has ever answered."""
        try:
            self._known, self._fresh = await self._ledger.discovery(), True
        except (LedgerUnavailable, LedgerRefused) as error:
            self._fresh = False
            if self._known is None:
                raise LedgerUnavailable(str(error)) from None
        return self._known
