"""What a hub measures, for Prometheus. Counted in plain integers where it happens, collected when somebody asks.

The help texts are those of docs/reference/metrics.md, to the letter.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hub.access import Access
from hub.connection import PHASES, Connection
from hub.door import Door
from hub.event_stream import EventStreams
from hub.feed import Feed
from hub.loader import Loader
from hub.readers import Readers
from hub.stream import Stream
from server.http.problems import Problems
from server.tls.handshakes import Handshakes, outcomes_of

PREFIX = "stockwire_hub"
TRANSIT_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


@dataclass(frozen=True, slots=True)
class Parts:
    """Of a hub: whoever counts something."""

    node: str
    feed: Feed
    loader: Loader
    access: Access
    door: Door
    stream: Stream
    event_streams: EventStreams
    problems: Problems
    readers: Readers
    handshakes: tuple[Handshakes, ...]
    draining: asyncio.Event


class Metrics:
    """``applied`` is called with the number of events of a batch and the seconds since their commit."""

    def __init__(self, parts: Parts) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(HubCollector(parts, self))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.events = 0
        self._transit = Histogram(
            f"{PREFIX}_transit_seconds",
            "From the commit of a batch until this hub applied it; compares two machines' clocks.",
            buckets=TRANSIT_BUCKETS_S,
            registry=self.registry,
        )

    def applied(self, events: int, transit_s: float) -> None:
        self.events += events
        self._transit.observe(transit_s)


class HubCollector(Collector):
    def __init__(self, parts: Parts, metrics: Metrics) -> None:
        self._parts = parts
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._freshness()
        yield from self._feed()
        yield from self._levels()
        yield from self._fan_out()
        yield from self._snapshots()
        yield from self._connections()
        yield from self._requests()

    def _freshness(self) -> Iterator[Metric]:
        feed = self._parts.feed
        yield _gauges(
            "node", "1; its label is the name of this hub, as STOCKWIRE_HUB_NODE has it.", "node", {self._parts.node: 1}
        )
        yield _gauge(
            "fresh", "1 while this hub has everything that the ledger has committed, as far as it knows.", feed.fresh
        )
        yield _gauge("lag_seconds", "As lag_ms of the heartbeat.", feed.lag_ms / 1_000)
        yield _counter("behind", "Times that fresh became 0.", feed.times_behind)
        yield _gauge("broker_up", "1 while subscribed to the broker; else the log is polled.", feed.broker_up)
        yield _counter(
            "broker_subscriptions",
            "Times that this hub subscribed to the broker; each one after the first follows an interruption.",
            feed.subscriptions,
        )
        yield _counter(
            "heartbeats",
            "Heartbeats of ledgers heard on the broker, one for each shard; they come a few times a second.",
            feed.heartbeats,
        )

    def _feed(self) -> Iterator[Metric]:
        feed = self._parts.feed
        yield _counter("events", "Events applied, from the broker or the log.", self._metrics.events)
        yield _counter(
            "log_events", "Of these, events that came from the log: the broker had lost them.", feed.log_events
        )
        yield _counter("log_reads", "Times that the ledger's log was read to fill a gap or to follow it.", feed.repairs)
        yield _counter("unreadable_messages", "Broker messages that could not be read.", feed.unreadable)
        yield _counter(
            "confirmations",
            "Times that the ledger was asked whether history is still the one that was read.",
            feed.confirmations,
        )
        yield _counter(
            "rewrites", "Times that history was rewritten and everything dropped; alert on any.", feed.rewrites
        )
        sequences = feed.fanout.shards.sequences if feed.fanout is not None else []
        by_shard = {str(one.shard): one for one in sequences}
        yield _gauges(
            "applied_seq",
            "The last seq applied; compare it with stockwire_ledger_head.",
            "shard",
            {shard: one.last for shard, one in by_shard.items()},
        )
        yield _counters(
            "duplicates",
            "Batches dropped as known.",
            "shard",
            {shard: one.duplicates for shard, one in by_shard.items()},
        )
        waiting = sum(one.waiting for one in sequences)
        yield _gauge("waiting_events", "Events kept until what is missing before them is here.", waiting)

    def _levels(self) -> Iterator[Metric]:
        fanout, loader = self._parts.feed.fanout, self._parts.loader
        levels = fanout.levels if fanout is not None else None
        yield _gauge("levels", "Levels held in memory.", levels.count if levels else 0)
        yield _gauge("idle_levels", "Of these, levels that nobody watches, about.", levels.idle() if levels else 0)
        yield _counter(
            "levels_let_go",
            "Levels let go of, since nobody watched them and others need the room.",
            levels.let_go if levels else 0,
        )
        yield _counter("loads", "Answers of the ledger to requests for levels that were not held.", loader.requests)
        yield _counter("loaded_levels", "Levels in these answers.", loader.levels_read)
        yield _counter("load_retries", "Times that such a request had to be repeated.", loader.retries)

    def _fan_out(self) -> Iterator[Metric]:
        feed = self._parts.feed
        counts, fanout = feed.counts, feed.fanout
        yield _counter("deliveries", "Level frames written.", counts.deliveries)
        yield _counter(
            "writes",
            "Writes to connections that carried level frames; deliveries per write say how well they are joined.",
            counts.writes,
        )
        yield _counter(
            "level_bytes",
            "Bytes of level frames written, snapshots left out; of event streams, about.",
            counts.level_bytes,
        )
        yield _counter("conflated", "Level changes skipped for slow readers, who got a newer state.", counts.conflated)
        yield _gauge(
            "behind_sessions",
            "Sessions that are owed something and cannot be written to now.",
            fanout.behind() if fanout else 0,
        )
        yield _gauge(
            "dirty_levels",
            "Levels that changed and wait for a slow reader, counted for each reader.",
            fanout.dirty() if fanout else 0,
        )

    def _snapshots(self) -> Iterator[Metric]:
        feed = self._parts.feed
        counts, fanout = feed.counts, feed.fanout
        yield _gauge("subscriptions", "Subscriptions that are served.", fanout.subscriptions() if fanout else 0)
        yield _counter("subscribed", "Subscriptions made.", counts.subscribed)
        yield _counters(
            "resumes",
            "Of these, subscriptions that came with a position, by whether it could be served.",
            "recovered",
            {"true": counts.resumes_recovered, "false": counts.resumes_refused},
        )
        yield _counter("snapshot_parts", "Parts of snapshots written.", counts.snapshot_parts)
        yield _counter("snapshot_levels", "Levels in these parts.", counts.snapshot_levels)
        yield _counter(
            "given_up", "Subscriptions that ended because the ledger gave nothing of them in time.", counts.given_up
        )
        yield _counters("errors", "Requests of clients answered with an error, by its code.", "code", counts.errors)

    def _connections(self) -> Iterator[Metric]:
        stream = self._parts.stream
        yield _gauge("connections", "Open WebSocket connections.", len(stream.connections))
        yield _gauges(
            "connections_by_state",
            "The same by state: connecting (no key or token yet), serving, slow (over its write limit) or closing.",
            "state",
            _by_state(stream.connections),
        )
        yield _counters(
            "upgrades",
            "Upgrades to WebSocket answered, by HTTP status; 101 is a connection.",
            "status",
            stream.upgrades,
        )
        yield _counters("closes", "Connections that this hub ended, by close code.", "code", stream.ends)
        door = self._parts.door
        yield _gauge(
            "unauthenticated",
            "Connections to the stream port that have shown no key or token yet.",
            door.unauthenticated,
        )
        yield _counters(
            "turned_away",
            "Connections that were not taken or had to give way, by the limit: rate (of handshakes), owner, address, "
            "unauthenticated or connections.",
            "limit",
            door.refused,
        )
        handshakes = self._parts.handshakes
        yield _gauge(
            "tls_under_way", "Handshakes of TLS under way, on all ports.", sum(one.under_way for one in handshakes)
        )
        yield _counters(
            "tls_handshakes",
            "Handshakes of TLS that ended, by outcome: done, failed, or gave_way to newer ones.",
            "outcome",
            outcomes_of(handshakes),
        )
        yield _counter("cut_off", "Connections cut off because they did not answer the close.", stream.cut_off)
        yield _gauge("event_streams", "Open event streams.", len(self._parts.event_streams.streams))
        yield _gauge("draining", "1 while this hub sends its clients elsewhere.", self._parts.draining.is_set())

    def _requests(self) -> Iterator[Metric]:
        access = self._parts.access
        yield _counter("token_refusals", "Keys and tokens turned down.", access.refusals)
        yield _counter("key_checks", "Questions to the ledger about a key.", access.checks)
        yield _counter("revocations", "Revocations of keys heard on the broker.", access.revocations)
        yield _counters(
            "problems", "Problem documents answered on the read port, by type.", "type", self._parts.problems.by_type
        )
        limits = self._parts.readers.owners
        yield _counter(
            "rate_limited",
            "Reads refused because their owner, or their address where no key is needed, had sent too many.",
            limits.counters.limited + self._parts.readers.addresses.counters.limited,
        )
        yield _counter(
            "rate_leases", "Blocks of reads that Redis was asked for, each for one owner.", limits.counters.leases
        )
        yield _counter(
            "rate_failed",
            "Blocks of reads that Redis did not answer for; the limits are local then.",
            limits.counters.failed,
        )
        yield _gauge(
            "rate_limits_shared",
            "1 while owners' reads are counted in Redis, for all hubs; 0: by each hub alone, or not at all.",
            limits.shared,
        )
        yield _gauge(
            "tasks",
            "Tasks of this process: some of its own, some for each connection and request; a leak grows for ever.",
            len(asyncio.all_tasks()),
        )


def _by_state(connections: Iterable[Connection]) -> dict[str, int]:
    counted = dict.fromkeys(PHASES, 0)
    for connection in connections:
        counted[connection.phase] += 1
    return counted


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value=float(value))


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"{PREFIX}_{name}", text, value=float(value))


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    return _labelled(GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=[label]), values)


def _counters(name: str, text: str, label: str, values: Mapping[str, float] | Mapping[int, int]) -> Metric:
    return _labelled(CounterMetricFamily(f"{PREFIX}_{name}", text, labels=[label]), values)


def _labelled(
    metric: GaugeMetricFamily | CounterMetricFamily, values: Mapping[str, float] | Mapping[int, int]
) -> Metric:
    for value, number in values.items():
        metric.add_metric([str(value)], number)
    return metric
