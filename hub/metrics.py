"""What a hub measures, for Prometheus. Counted in plain integers where it happens, collected when somebody asks.

The help texts are those of docs/reference/metrics.md, to the letter.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from hub.entry.access import Access
from hub.entry.door import Door
from hub.entry.moves import Moves
from hub.entry.visitors import Port
from hub.feed.feed import Feed
from hub.feed.loader import Loader
from hub.reads.event_stream import EventStreams
from hub.reads.readers import Readers
from hub.stream.connection import PHASES, Connection
from hub.stream.stream import Stream
from server.histogram import BOUNDS_S, Histogram
from server.http.problems import Problems
from server.http.request_times import LABELS, RequestTimes
from server.metrics import Families, create_registry
from server.tls.handshakes import Handshakes
from server.tracing.tracing import Tracing, exemplar_of
from server.version import VERSION
from wire.trace import Trace

PREFIX = "stockwire_hub"
OURS = Families(PREFIX)
FLUSH_BOUNDS_S = (0.0001, 0.0002, *BOUNDS_S)


REQUEST_HELP = (
    "From when a request to the read port was taken up until its answer began, by method, route and outcome, as a "
    "ledger's. What has no route is other."
)


class Transit:
    """From the commit to this hub. ``events`` applied since start; how long they took is counted for each batch."""

    def __init__(self) -> None:
        self.events = 0
        self.seconds = Histogram()

    def applied(self, events: int, transit_s: float, trace: Trace | None) -> None:
        """``trace``: of an operation among them, if one is traced."""
        self.events += events
        self.seconds.observe(transit_s, exemplar_of(trace))


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a hub that count something."""

    node: str
    transit: Transit
    flushes: Histogram
    drains: Histogram
    request_times: RequestTimes
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
    moves: Moves
    tracing: Tracing | None


def registry_of(parts: Parts) -> CollectorRegistry:
    return create_registry(HubCollector(parts))


class HubCollector(Collector):
    """Reads what the parts have counted, each time that somebody asks."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        yield from self._freshness()
        yield from self._feed()
        yield from self._levels()
        yield from self._fan_out()
        yield from self._snapshots()
        yield from self._connections()
        yield from self._leaving()
        yield from self._requests()

    def _freshness(self) -> Iterator[Metric]:
        feed = self._parts.feed
        yield OURS.gauges(
            "node", "1; its label is the name of this hub, as STOCKWIRE_HUB_NODE has it.", "node", {self._parts.node: 1}
        )
        yield OURS.gauges("version", "1; its label is the version of this hub.", "version", {VERSION: 1})
        yield OURS.gauge(
            "fresh", "1 while this hub has everything that the ledger has committed, as far as it knows.", feed.fresh
        )
        yield OURS.gauge("lag_seconds", "As lag_ms of the heartbeat.", feed.lag_ms / 1_000)
        yield OURS.counter("behind", "Times that fresh became 0.", feed.times_behind)
        yield OURS.counter("behind_seconds", "Time in which fresh was 0, in seconds.", feed.behind_s)
        yield OURS.gauge("broker_up", "1 while subscribed to the broker; else the log is polled.", feed.broker_up)
        yield OURS.counter(
            "broker_subscriptions",
            "Times that this hub subscribed to the broker; each one after the first follows an interruption.",
            feed.subscriptions,
        )
        yield OURS.counter(
            "heartbeats",
            "Heartbeats of ledgers heard on the broker, one for each shard; they come a few times a second.",
            feed.heartbeats,
        )

    def _feed(self) -> Iterator[Metric]:
        feed = self._parts.feed
        yield OURS.histogram(
            "transit_seconds",
            "From the commit of a batch until this hub applied it; compares two machines' clocks.",
            self._parts.transit.seconds,
        )
        yield OURS.counter("events", "Events applied, from the broker or the log.", self._parts.transit.events)
        yield OURS.counter(
            "log_events", "Of these, events that came from the log: the broker had lost them.", feed.log_events
        )
        yield OURS.counter(
            "log_reads", "Times that the ledger's log was read to fill a gap or to follow it.", feed.repairs
        )
        yield OURS.counter("unreadable_messages", "Broker messages that could not be read.", feed.unreadable)
        yield OURS.counter(
            "confirmations",
            "Times that the ledger was asked whether history is still the one that was read.",
            feed.confirmations,
        )
        yield OURS.counter(
            "rewrites", "Times that history was rewritten and everything dropped; alert on any.", feed.rewrites
        )
        sequences = feed.fanout.shards.sequences if feed.fanout is not None else []
        by_shard = {str(one.shard): one for one in sequences}
        yield OURS.gauges(
            "applied_seq",
            "The last seq applied; compare it with stockwire_ledger_head.",
            "shard",
            {shard: one.last for shard, one in by_shard.items()},
        )
        yield OURS.counters(
            "duplicates",
            "Batches dropped as known.",
            "shard",
            {shard: one.duplicates for shard, one in by_shard.items()},
        )
        waiting = sum(one.waiting for one in sequences)
        yield OURS.gauge("waiting_events", "Events kept until what is missing before them is here.", waiting)

    def _levels(self) -> Iterator[Metric]:
        fanout, loader = self._parts.feed.fanout, self._parts.loader
        levels = fanout.levels if fanout is not None else None
        yield OURS.gauge("levels", "Levels held in memory.", levels.count if levels else 0)
        yield OURS.gauge("idle_levels", "Of these, levels that nobody watches, about.", levels.idle() if levels else 0)
        yield OURS.counter(
            "levels_let_go",
            "Levels let go of, since nobody watched them and others need the room.",
            levels.let_go if levels else 0,
        )
        yield OURS.counter("loads", "Answers of the ledger to requests for levels that were not held.", loader.requests)
        yield OURS.counter("loaded_levels", "Levels in these answers.", loader.levels_read)
        yield OURS.counter("load_retries", "Times that such a request had to be repeated.", loader.retries)

    def _fan_out(self) -> Iterator[Metric]:
        feed = self._parts.feed
        counts, fanout = feed.counts, feed.fanout
        yield OURS.histogram(
            "flush_seconds",
            "From the first change that came in until what it changed was written to all who can be written to.",
            self._parts.flushes,
        )
        yield OURS.counter("deliveries", "Level frames written.", counts.deliveries)
        yield OURS.counter(
            "writes",
            "Writes to connections that carried level frames; deliveries per write say how well they are joined.",
            counts.writes,
        )
        yield OURS.counter(
            "level_bytes",
            "Bytes of level frames written, snapshots left out; of event streams, about.",
            counts.level_bytes,
        )
        yield OURS.counter(
            "conflated", "Level changes skipped for slow readers, who got a newer state.", counts.conflated
        )
        yield OURS.gauge(
            "behind_sessions",
            "Sessions that are owed something and cannot be written to now.",
            fanout.behind() if fanout else 0,
        )
        yield OURS.gauge(
            "dirty_levels",
            "Levels that changed and wait for a slow reader, counted for each reader.",
            fanout.dirty() if fanout else 0,
        )

    def _snapshots(self) -> Iterator[Metric]:
        feed = self._parts.feed
        counts, fanout = feed.counts, feed.fanout
        yield OURS.gauge("subscriptions", "Subscriptions that are served.", fanout.subscriptions() if fanout else 0)
        yield OURS.counter("subscribed", "Subscriptions made.", counts.subscribed)
        yield OURS.counters(
            "resumes",
            "Of these, subscriptions that came with a position, by whether it could be served.",
            "recovered",
            {"true": counts.resumes_recovered, "false": counts.resumes_refused},
        )
        yield OURS.counter("snapshot_parts", "Parts of snapshots written.", counts.snapshot_parts)
        yield OURS.counter("snapshot_levels", "Levels in these parts.", counts.snapshot_levels)
        yield OURS.histogram(
            "snapshot_seconds",
            "From when a subscription was asked for until the last part of its snapshot was written.",
            counts.snapshots,
        )
        yield OURS.counter(
            "given_up", "Subscriptions that ended because the ledger gave nothing of them in time.", counts.given_up
        )
        yield OURS.counters("errors", "Requests of clients answered with an error, by its code.", "code", counts.errors)

    def _connections(self) -> Iterator[Metric]:
        stream = self._parts.stream
        yield OURS.gauge("connections", "Open WebSocket connections.", len(stream.connections))
        yield OURS.gauges(
            "connections_by_state",
            "The same by state: connecting (no key or token yet), serving, slow (over its write limit) or closing.",
            "state",
            _by_state(stream.connections),
        )
        yield OURS.counters(
            "upgrades",
            "Upgrades to WebSocket answered, by HTTP status; 101 is a connection.",
            "status",
            stream.upgrades,
        )
        yield OURS.counters("closes", "Connections that this hub ended, by close code.", "code", stream.ends)
        door = self._parts.door
        yield OURS.gauge(
            "unauthenticated",
            "Connections to the stream port that have shown no key or token yet.",
            door.unauthenticated,
        )
        yield OURS.counters(
            "turned_away",
            "Connections that were not taken or had to give way, by the limit: rate (of handshakes), owner, address, "
            "unauthenticated or connections.",
            "limit",
            door.refused,
        )
        yield OURS.gauges(
            "visitors",
            "Visitors that are here, by the port they came in: stream or event_stream.",
            "port",
            {port.value: door.visitors.at(port) for port in Port},
        )
        yield OURS.counters(
            "visitors_turned_away",
            "Visitors that were refused or ended, by reason: no place left (places), too many of one address "
            "(address), too many new ones (rate) or of one address (address_rate), or their place was needed "
            "(gave_way).",
            "reason",
            door.visitors.refused,
        )
        yield OURS.counter("cut_off", "Connections cut off because they did not answer the close.", stream.cut_off)
        yield OURS.gauge("event_streams", "Open event streams.", len(self._parts.event_streams.streams))

    def _leaving(self) -> Iterator[Metric]:
        moves = self._parts.moves
        yield OURS.counters(
            "moved",
            "Connections and event streams sent elsewhere while this hub goes on, by reason: of a share that was to be "
            "moved (share), or older than they may become (age).",
            "reason",
            moves.moved,
        )
        yield OURS.gauge("moving", "Clients of a share to be moved whose turn has not come yet.", moves.moving)
        yield OURS.histograms(
            "drain_seconds",
            "How long it took to send clients elsewhere, by kind: of a drain until nobody was left or its time was "
            "over (all), or of a share until the last of them was told (share).",
            ("kind",),
            {("all",): self._parts.drains, ("share",): moves.took},
        )
        yield OURS.gauge("draining", "1 while this hub sends its clients elsewhere.", self._parts.draining.is_set())

    def _requests(self) -> Iterator[Metric]:
        access = self._parts.access
        yield OURS.histograms("request_seconds", REQUEST_HELP, LABELS, self._parts.request_times.histograms())
        yield OURS.counter("token_refusals", "Keys and tokens turned down.", access.refusals)
        yield OURS.counter("key_checks", "Questions to the ledger about a key.", access.checks)
        yield OURS.counter("revocations", "Revocations of keys heard on the broker.", access.revocations)
        yield OURS.counters(
            "problems", "Problem documents answered on the read port, by type.", "type", self._parts.problems.by_type
        )
        limits = self._parts.readers.owners
        yield OURS.counter(
            "rate_limited",
            "Reads refused because their owner, or their address where no key is needed, had sent too many.",
            limits.counters.limited + self._parts.readers.addresses.counters.limited,
        )
        yield OURS.counter(
            "rate_leases", "Blocks of reads that Redis was asked for, each for one owner.", limits.counters.leases
        )
        yield OURS.counter(
            "rate_failed",
            "Blocks of reads that Redis did not answer for; the limits are local then.",
            limits.counters.failed,
        )
        yield OURS.gauge(
            "rate_limits_shared",
            "1 while owners' reads are counted in Redis, for all hubs; 0: by each hub alone, or not at all.",
            limits.shared,
        )
        yield from OURS.of_process(self._parts.handshakes)
        yield from OURS.of_tracing(self._parts.tracing)


def _by_state(connections: Iterable[Connection]) -> dict[str, int]:
    counted = dict.fromkeys(PHASES, 0)
    for connection in connections:
        counted[connection.phase] += 1
    return counted
