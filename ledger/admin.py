"""Metrics (Prometheus), who and what was refused, and health, on the admin port."""

import asyncio
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.commit.writers import Writers
from ledger.database import slots
from ledger.database.reading import reading
from ledger.database.slots import Slots, slots_of
from ledger.holds.open_holds import OpenHolds
from ledger.holds.sweeper import Sweeper
from ledger.http.parts import Parts
from ledger.metrics import LedgerCollector
from server.http.health import HealthRoutes
from server.http.json import Json
from server.metrics import create_registry, exposition
from server.problems import Unavailable

DATABASE_S = 1.0
"""For all that a scrape asks the database. Prometheus gives a scrape up after 10 s by default, that of ``up --observe``
after 2 s, and a ledger that cannot be scraped looks like one that has ended."""

# Without one's own right to see other roles' sessions, this shows those of one's own role.
_OLDEST_SNAPSHOT = text("""
    select coalesce(extract(epoch from max(clock_timestamp() - xact_start)), 0)::float8
      from pg_stat_activity where backend_xmin is not null
""")


_SLOTS = text(slots.READ)


class MetricRoutes:
    def __init__(self, engine: AsyncEngine, collector: LedgerCollector) -> None:
        self._engine = engine
        self._open_holds = OpenHolds(engine)
        self._collector = collector
        self._registry = create_registry(collector)

    def routes(self) -> list[Route]:
        return [Route("/metrics", self.metrics, methods=["GET"])]

    async def metrics(self, request: Request) -> Response:
        collector = self._collector
        collector.oldest_snapshot_s, collector.slots, collector.open_holds = await self._of_database()
        return exposition(self._registry, request)

    async def _of_database(self) -> tuple[float | None, Slots | None, Mapping[str, int]]:
        """Nothing when the database does not answer: everything else is worth scraping then more than ever."""
        try:
            async with asyncio.timeout(DATABASE_S):
                return *await self._snapshot_and_slots(), await self._open_holds.by_state()
        except TimeoutError:
            return None, None, {}

    async def _snapshot_and_slots(self) -> tuple[float | None, Slots | None]:
        try:
            async with reading(self._engine) as connection:
                oldest_s = float((await connection.execute(_OLDEST_SNAPSHOT)).scalar_one())
                rows = [dict(row) for row in (await connection.execute(_SLOTS)).mappings()]
        except Unavailable:
            return None, None
        return oldest_s, slots_of(rows)


def create_admin_app(parts: Parts, writers: Writers, sweeper: Sweeper) -> Starlette:
    metrics = MetricRoutes(parts.read_engine, LedgerCollector(parts, writers, sweeper))

    async def refusals(_request: Request) -> Response:
        return Json(writers.counters.refused.document())

    listed = Route("/refusals", refusals, methods=["GET"])
    app = Starlette(routes=[*metrics.routes(), listed, *HealthRoutes(parts.why_not_ready, parts.versions).routes()])
    app.router.redirect_slashes = False
    parts.problems.install(app)
    return app
