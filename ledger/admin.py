"""Metrics (Prometheus) and health, on the admin port."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import fields
from typing import Any

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.errors import Unavailable
from ledger.heads import Heads
from ledger.long_polls import LongPolls
from ledger.problems import Problems
from ledger.publisher import Publisher
from ledger.reading import reading
from ledger.routes.process import HealthRoutes
from ledger.writers import Writers

PREFIX = "stockwire_ledger"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

WRITER_HELP = {
    "operations": "Operations committed.",
    "events": "Events committed: changes of one level by one operation.",
    "batches": "Batches committed; operations per batch is how well commits are shared.",
    "conflicts": "Batches that found a version moved, and were decided again under their locks.",
    "locked_batches": "Batches decided under their level locks.",
    "replays": "Requests answered from what was stored under their key.",
    "lost_connections": "Batches whose connection to the database was lost on the way.",
    "bisections": "Batches halved to find the one operation that holds up the others.",
    "commit_seconds": "Time spent on batches, retries included, in seconds.",
}
PUBLISHER_HELP = {
    "published": "Messages handed to the broker.",
    "failed": "Messages that the broker did not take; hubs read the log instead.",
    "dropped": "Messages dropped because too many waited for the broker; hubs read the log instead.",
}

# Without one's own right to see other roles' sessions, this shows those of one's own role.
_OLDEST_SNAPSHOT = text("""
    select coalesce(extract(epoch from max(clock_timestamp() - xact_start)), 0)::float8
      from pg_stat_activity where backend_xmin is not null
""")


class LedgerCollector:
    """Turns the counters of a ledger's parts into metrics whenever they are scraped."""

    def __init__(
        self, writers: Writers, publisher: Publisher, heads: Heads, problems: Problems, long_polls: LongPolls
    ) -> None:
        self._writers = writers
        self._publisher = publisher
        self._heads = heads
        self._problems = problems
        self._long_polls = long_polls
        self.oldest_snapshot_s: float | None = None

    def collect(self) -> Iterable[Metric]:
        yield from _counters("", self._writers.counters, WRITER_HELP)
        yield from _counters("messages_", self._publisher.counters, PUBLISHER_HELP)
        yield _by_label(
            "refused", "Operations refused on a level, by problem type.", "type", self._writers.counters.refusals
        )
        yield _by_label("problems", "Problem documents answered, by type.", "type", self._problems.by_type)
        yield _counter(
            "history_rewritten", "Times that heads were seen to fall: a restored database.", self._heads.rewritten
        )
        yield _gauge("queued_lines", "Lines that wait for a writer.", self._writers.queued_lines)
        yield _gauge("long_polls", "Requests that wait for events.", self._long_polls.open)
        yield self._head_metric()
        if self.oldest_snapshot_s is not None:
            yield _gauge(
                "oldest_snapshot_seconds",
                "Age of the oldest snapshot in the database; a long one slows hot levels down.",
                self.oldest_snapshot_s,
            )

    def _head_metric(self) -> Metric:
        metric = GaugeMetricFamily(f"{PREFIX}_head", "Seq of the last event of a shard.", labels=["shard"])
        for shard, head in self._heads.heads.items():
            metric.add_metric([str(shard)], head)
        return metric


def _counters(prefix: str, counters: Any, help_texts: dict[str, str]) -> Iterable[Metric]:
    for field in fields(counters):
        if field.name in help_texts:
            yield _counter(f"{prefix}{field.name}", help_texts[field.name], getattr(counters, field.name))


def _counter(name: str, help_text: str, value: float) -> Metric:
    metric = CounterMetricFamily(f"{PREFIX}_{name}", help_text)
    metric.add_metric([], value)
    return metric


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", help_text, value=value)


def _by_label(name: str, help_text: str, label: str, values: dict[str, int]) -> Metric:
    metric = CounterMetricFamily(f"{PREFIX}_{name}", help_text, labels=[label])
    for value, count in values.items():
        metric.add_metric([value], count)
    return metric


class MetricRoutes:
    def __init__(self, engine: AsyncEngine, collector: LedgerCollector) -> None:
        self._engine = engine
        self._collector = collector
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def routes(self) -> list[Route]:
        return [Route("/metrics", self.metrics, methods=["GET"])]

    async def metrics(self, _request: Request) -> Response:
        self._collector.oldest_snapshot_s = await self._oldest_snapshot_s()
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE)

    async def _oldest_snapshot_s(self) -> float | None:
        """None when the database does not answer: everything else is worth scraping then more than ever."""
        try:
            async with reading(self._engine) as connection:
                return float((await connection.execute(_OLDEST_SNAPSHOT)).scalar_one())
        except Unavailable:
            return None


def create_admin_app(
    metrics: MetricRoutes, problems: Problems, why_not_ready: Callable[[], Awaitable[str | None]]
) -> Starlette:
    app = Starlette(routes=[*metrics.routes(), *HealthRoutes(why_not_ready).routes()])
    app.router.redirect_slashes = False
    problems.install(app)
    return app
