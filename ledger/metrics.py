"""What a ledger measures, for Prometheus. Counted in plain integers where it happens, collected when somebody asks.

The help texts are those of docs/reference/metrics.md, to the letter.
"""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.commit.writers import Writers
from ledger.database.slots import Slots
from ledger.holds.sweeper import Sweeper
from ledger.http.parts import Parts
from server.http.request_times import LABELS
from server.metrics import Families

PREFIX = "stockwire_ledger"
OURS = Families(PREFIX)

WRITER_HELP = {
    "operations": "Operations committed.",
    "events": "Events committed: changes of one level by one operation.",
    "batches": "Batches committed; operations per batch say how well commits are shared.",
    "conflicts": "Batches that found a version moved, and were decided again under their locks.",
    "locked_batches": "Batches decided under their level locks.",
    "turns": "Batches that waited while other writers of the shard committed theirs.",
    "missed_turns": "Of these, batches that waited for a writer that committed nothing in time.",
    "replays": "Requests answered from what was stored under their key.",
    "joined": "Requests that came while the same one was under way here, and got its answer.",
    "lock_timeouts": "Batches that waited too long for rows that somebody else held.",
    "lost_connections": "Batches whose connection to the database was lost on the way.",
    "bisections": "Batches halved to find the one operation that held up the others; any is worth a look.",
    "holds_released_before_refusal": (
        "Reservations whose time was over and that were let go of at once, because a request needed their units."
    ),
}
NODE_HELP = "1; its label is the name of the machine that this ledger runs on."
VERSION_HELP = "1; its labels are the version of this ledger, and the newest schema that it knows."
PUBLISHER_HELP = {
    "published": "Messages that the broker took: batches, heartbeats and revocations.",
    "heartbeats": "Of all messages, heartbeats: the head of a shard, a few times a second.",
    "failed": "Messages that the broker did not take; hubs read the log instead.",
    "dropped": "Messages dropped because too many waited for the broker; hubs read the log instead.",
}
SLOT_HELP = {
    "active": "1 while somebody reads by this replication slot of the database, as Debezium does.",
    "lost": "1: PostgreSQL has given this slot up, and what nobody read by it is not to be had any more.",
    "retained_bytes": "Bytes of PostgreSQL's log that this slot keeps from being removed.",
    "bytes_max": (
        "Bytes of PostgreSQL's log that this slot may keep before it is given up (max_slot_wal_keep_size); infinite "
        "where nothing limits it: one that is left behind fills the disk."
    ),
}
WAL_LOGICAL_HELP = (
    "1: PostgreSQL's wal_level is logical, which Debezium needs and nothing else; 0: it cannot read. Absent where "
    "nobody is meant to read that way, and when the database does not answer."
)
REQUEST_HELP = (
    "From when a request was taken up until its answer began, by method, route and outcome: ok (2xx, 3xx), refused "
    "(409, 422), limited (429), rejected (any other 4xx) or failed (5xx, or none). What has no route is other."
)
RATE_HELP = {
    "limited": "Requests refused because their owner had sent too many.",
    "leases": "Blocks of requests that Redis was asked for, each for one owner.",
    "failed": "Blocks of requests that Redis did not answer for; the limits are local then.",
}


class LedgerCollector(Collector):
    """Turns the counters of a ledger's parts into metrics whenever they are scraped."""

    def __init__(self, parts: Parts, writers: Writers, sweeper: Sweeper) -> None:
        self._parts = parts
        self._writers = writers
        self._sweeper = sweeper
        self.oldest_snapshot_s: float | None = None
        self.slots: Slots | None = None
        self.open_holds: Mapping[str, int] = {}

    def collect(self) -> Iterable[Metric]:
        yield self._named()
        yield self._version()
        yield from self._commits()
        yield from self._holds()
        yield from self._broker()
        yield from self._database()
        yield from self._requests()
        yield from self._limits()

    def _named(self) -> Metric:
        return OURS.gauges("node", NODE_HELP, "node", {socket.gethostname(): 1})

    def _version(self) -> Metric:
        family = GaugeMetricFamily(f"{PREFIX}_version", VERSION_HELP, labels=[*self._parts.versions])
        family.add_metric([*self._parts.versions.values()], 1)
        return family

    def _commits(self) -> Iterable[Metric]:
        counters = self._writers.counters
        yield from _each("", counters, WRITER_HELP)
        yield OURS.histogram(
            "wait_seconds", "How long an operation waited until a writer took it into a batch.", counters.waits
        )
        yield OURS.histogram(
            "batch_seconds",
            "How long a batch took until it was committed, refused or given up, retries included.",
            counters.took,
        )
        yield OURS.counter("commit_seconds", "Time spent on batches, retries included, in seconds.", counters.took.sum)
        yield OURS.histogram(
            "statement_seconds",
            "How long the database took for the statement that writes a batch, each time that it was sent.",
            counters.statements,
        )
        yield OURS.counters(
            "refused",
            "Operations refused on a level, by problem type.",
            "type",
            counters.refusals,
        )
        yield OURS.gauge("queued_lines", "Lines that wait for a writer.", self._writers.queued_lines)
        yield OURS.gauge(
            "remembered_levels",
            "Levels whose version the writers remember, to decide without reading them.",
            self._writers.remembered_levels,
        )
        yield OURS.gauge(
            "listened_shards",
            "Shards of which this ledger hears what others commit, since it lost a race there.",
            self._writers.listened_shards,
        )

    def _holds(self) -> Iterable[Metric]:
        yield OURS.gauges(
            "holds_open",
            "Reservations in the database that are pending or committed, by state, counted every 30 seconds at most. "
            "Absent when the database does not answer.",
            "state",
            self.open_holds,
        )
        yield OURS.counter(
            "holds_expired", "Reservations that this ledger let go of because their time was over.", self._sweeper.swept
        )
        yield OURS.gauge(
            "sweeper_delay_seconds",
            "How long the oldest overdue reservation of this ledger's last look has been overdue; 0 if there was none; "
            "alert above 5.",
            self._sweeper.delay_s,
        )

    def _broker(self) -> Iterable[Metric]:
        yield from _each("messages_", self._parts.publisher.counters, PUBLISHER_HELP)
        yield OURS.histogram(
            "publish_seconds",
            "From when a message was ready (a batch, a heartbeat, a revocation) until the broker took it.",
            self._parts.publisher.took,
        )
        yield OURS.gauge("queued_messages", "Messages that wait for the broker.", self._parts.publisher.queued)
        yield OURS.gauge("broker_up", "1 while the broker takes messages.", self._parts.publisher.broker_up)

    def _database(self) -> Iterable[Metric]:
        heads = {str(shard): head for shard, head in self._parts.heads.heads.items()}
        yield OURS.gauges("head", "Seq of the last event of a shard.", "shard", heads)
        yield OURS.counter(
            "head_failures",
            "Times that the heads could not be read from the database; no heartbeat goes out then.",
            self._parts.heads.failures,
        )
        yield OURS.counter(
            "history_rewritten", "Times that heads were seen to fall: a restored database.", self._parts.heads.rewritten
        )
        if self.oldest_snapshot_s is not None:
            yield OURS.gauge(
                "oldest_snapshot_seconds",
                "Age of the oldest snapshot in the database; alert above 10: it slows hot levels down. "
                "Absent when the database does not answer.",
                self.oldest_snapshot_s,
            )

        if self.slots is not None:
            yield from _of_slots(self.slots)

    def _requests(self) -> Iterable[Metric]:
        yield OURS.histograms("request_seconds", REQUEST_HELP, LABELS, self._parts.request_times.histograms())
        yield OURS.gauge("long_polls", "Requests that wait for events.", self._parts.long_polls.open)
        yield from OURS.of_process((self._parts.handshakes, self._parts.admin_handshakes))
        yield from OURS.of_tracing(self._parts.tracing)
        yield OURS.counters(
            "problems",
            "Problem documents answered, by type.",
            "type",
            self._parts.problems.by_type,
        )

    def _limits(self) -> Iterable[Metric]:
        yield from _each("rate_", self._parts.rate_limits.counters, RATE_HELP)
        yield OURS.gauge(
            "rate_limits_shared",
            "1 while owners' requests are counted in Redis, for all ledgers; 0: by each ledger alone, or not at all.",
            self._parts.rate_limits.shared,
        )
        yield OURS.gauge(
            "in_flight", "Requests under way, those that wait for events left out.", self._parts.in_flight.open
        )
        yield OURS.gauge("connections", "Open HTTP connections.", self._parts.connections.open)
        yield OURS.counters(
            "turned_away",
            "Requests and connections turned away unseen, by reason: too many requests under way (in_flight), "
            "too many connections in all (connections) or of one address (address), idle ones closed to make room "
            "(evicted), heads too large (head_size), too slow (head_time) or no HTTP (unreadable).",
            "reason",
            {"in_flight": self._parts.in_flight.shed, **self._parts.connections.turned_away},
        )


def _each(prefix: str, counters: Any, help_texts: Mapping[str, str]) -> Iterable[Metric]:
    for field in fields(counters):
        if field.name in help_texts:
            yield OURS.counter(f"{prefix}{field.name}", help_texts[field.name], getattr(counters, field.name))


def _of_slots(found: Slots) -> Iterable[Metric]:
    for name, help_text in SLOT_HELP.items():
        values = {slot.name: float(getattr(slot, name)) for slot in found.slots}
        yield OURS.gauges(f"slot_{name}", help_text, "slot", values)
    yield OURS.gauge("wal_logical", WAL_LOGICAL_HELP, found.logical if found.any else None)
