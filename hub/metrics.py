"""What a hub measures, for Prometheus. Counted in plain integers where it happens, collected when somebody asks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from hub.event_stream import EventStreams
    from hub.feed import Feed
    from hub.stream import Stream

TRANSIT_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """``applied`` is called with the number of events of a batch and the seconds since their commit."""

    def __init__(self, feed: "Feed", stream: "Stream", event_streams: "EventStreams") -> None:
        self.registry = CollectorRegistry()
        self.registry.register(HubCollector(feed, stream, event_streams, self))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.events = 0
        self._transit = Histogram(
            "stockwire_hub_transit_seconds",
            "From the commit of a batch in the ledger until this hub applied it; compares two machines' clocks.",
            buckets=TRANSIT_BUCKETS_S,
            registry=self.registry,
        )

    def applied(self, events: int, transit_s: float) -> None:
        self.events += events
        self._transit.observe(transit_s)


class HubCollector(Collector):
    def __init__(self, feed: "Feed", stream: "Stream", event_streams: "EventStreams", metrics: Metrics) -> None:
        self._feed = feed
        self._stream = stream
        self._event_streams = event_streams
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._feed_metrics()
        yield from self._fanout_metrics()
        yield from self._connection_metrics()

    def _feed_metrics(self) -> Iterator[Metric]:
        feed = self._feed
        yield _gauge(
            "fresh", "1 while this hub has everything the ledger has committed, as far as it knows.", feed.fresh
        )
        yield _gauge("lag_seconds", "As lag_ms of the heartbeat (docs/reference/protocol.md).", feed.lag_ms / 1_000)
        yield _gauge("broker_up", "1 while subscribed to the broker; else the log is polled.", feed.broker_up)
        yield _counter("events", "Events applied, from the broker or the log.", self._metrics.events)
        yield _counter("log_reads", "Times the ledger's log was read to fill a gap or to follow it.", feed.repairs)
        yield _counter("rewrites", "Times history was rewritten and everything dropped. Alert on any.", feed.rewrites)
        yield _counter("unreadable_messages", "Broker messages that could not be read.", feed.unreadable)
        if feed.fanout is not None:
            applied = GaugeMetricFamily("stockwire_hub_applied_seq", "The last seq applied.", labels=["shard"])
            duplicates = CounterMetricFamily("stockwire_hub_duplicates", "Batches dropped as known.", labels=["shard"])
            for sequence in feed.fanout.shards.sequences:
                applied.add_metric([str(sequence.shard)], sequence.last)
                duplicates.add_metric([str(sequence.shard)], sequence.duplicates)
            yield from (applied, duplicates)

    def _fanout_metrics(self) -> Iterator[Metric]:
        fanout = self._feed.fanout
        if fanout is not None:
            conflated = fanout.conflated + sum(session.conflated for session in fanout.sessions)
            yield _gauge("levels", "Levels held in memory.", fanout.levels.count)
            yield _gauge("idle_levels", "Levels held that nobody watches.", fanout.levels.idle())
            yield _gauge(
                "behind_sessions", "Sessions that are owed something and cannot be written to now.", fanout.behind()
            )
            yield _counter("deliveries", "Level frames written.", fanout.deliveries)
            yield _counter("writes", "Writes to connections that carried level frames.", fanout.writes)
            yield _counter("conflated", "Level changes skipped for slow readers, who got a newer state.", conflated)

    def _connection_metrics(self) -> Iterator[Metric]:
        yield _gauge("connections", "Open WebSocket connections.", len(self._stream.connections))
        yield _gauge("event_streams", "Open event streams.", len(self._event_streams.streams))
        closes = CounterMetricFamily("stockwire_hub_closes", "Connections that this hub ended.", labels=["code"])
        for code, count in self._stream.ends.items():
            closes.add_metric([str(code)], count)
        yield closes


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"stockwire_hub_{name}", text, value=float(value))


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"stockwire_hub_{name}", text, value=float(value))
