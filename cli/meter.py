"""Measures a running system: one real client behind a hub, the processes' own metrics, the audit query."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from cli.figures import Arrivals, Figures
from cli.oversold import AWAY, Oversold
from stockwire import AsyncClient, LevelChanged, Snapshot
from stockwire.errors import StockwireError

OVERSOLD_EVERY_S = 10.0
_METRICS_TIMEOUT_S = 2.0
_AGAIN_S = 2.0

CLIENTS = "stockwire_hub_connections"
CONFLICTS = "stockwire_ledger_conflicts"
REFUSED = "stockwire_ledger_refused"

logger = logging.getLogger("stockwire.up")


class Meter:
    """Run ``watch``, ``count`` and ``check`` side by side, read ``figures`` whenever needed."""

    def __init__(self, client: AsyncClient, location: str, admin_urls: Mapping[str, str], database_url: str) -> None:
        self._client = client
        self._location = location
        self._admin_urls = admin_urls
        self._oversold = Oversold(database_url)
        self._arrivals = Arrivals()
        self._watched_since: float | None = None
        self._clients: int | None = None
        self._conflicts: int | None = None
        self._refused: int | None = None
        self._oversold_count: int | None = None

    def figures(self) -> Figures:
        watched_s = 0.0 if self._watched_since is None else time.time() - self._watched_since
        rate, p50, p99 = self._arrivals.figures(time.time(), watched_s)
        return Figures(rate, p50, p99, self._clients, self._conflicts, self._refused, self._oversold_count)

    async def watch(self) -> None:
        """A client like any other: its connection comes back by itself. If it is sent away for good, another comes."""
        while True:
            try:
                await self._watch()
            except StockwireError as error:
                logger.warning("the measuring client was sent away reason=%r", str(error))
            await asyncio.sleep(_AGAIN_S)

    async def _watch(self) -> None:
        async with self._client.subscribe(self._location) as subscription:
            async for event in subscription:
                if isinstance(event, LevelChanged):
                    level = event.level
                    self._arrivals.changed(level.sku, level.version, level.committed_at, time.time())
                elif isinstance(event, Snapshot):
                    self._arrivals.known((level.sku, level.version) for level in event.levels)
                    self._watched_since = self._watched_since or time.time()

    async def count(self) -> None:
        async with httpx.AsyncClient(timeout=_METRICS_TIMEOUT_S) as http:
            while True:
                pages = await asyncio.gather(*(_metrics(http, name, url) for name, url in self._admin_urls.items()))
                self._clients = total(pages, CLIENTS)
                self._conflicts = total(pages, CONFLICTS)
                self._refused = total(pages, REFUSED)
                await asyncio.sleep(1)

    async def check(self) -> None:
        while True:
            try:
                self._oversold_count = await self._oversold.look()
            except AWAY as error:
                self._oversold_count = None
                logger.debug("the audit query has failed reason=%r", str(error))
            await asyncio.sleep(OVERSOLD_EVERY_S)


def total(pages: Iterable[str], name: str) -> int | None:
    """The sum over all processes and labels; None if no process states the metric. 0 for one without any label yet."""
    families = [family for page in pages for family in text_string_to_metric_families(page) if family.name == name]
    return round(sum(sample.value for family in families for sample in family.samples)) if families else None


async def _metrics(http: httpx.AsyncClient, name: str, url: str) -> str:
    """Empty when the process is away: it is being restarted."""
    try:
        answer = await http.get(f"{url}/metrics")
        answer.raise_for_status()
    except httpx.HTTPError as error:
        logger.debug("no metrics of a process process=%s reason=%r", name, str(error))
        return ""
    return answer.text
