"""A relay as whoever operates it sees it, and Prometheus. The help texts are those of docs/reference/metrics.md, to the
letter."""

import time
from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from followers.operated import NAMED_MAX, Trouble
from followers.relay.progress import Progress, State
from followers.relay.relaying import Relaying
from server.metrics import Families
from server.tls.handshakes import Handshakes
from server.version import VERSION

OURS = Families("stockwire_relay")


class OperatedRelay(Collector):
    """See ``followers.operated.Operated``."""

    def __init__(self, relaying: Relaying, sink: str, broker: str, handshakes: Handshakes) -> None:
        """``sink``: as metrics name it. ``broker``: its kind, as its page is called."""
        self._relaying = relaying
        self._sink = sink
        self._page = f"docs/how-to/{broker}.md"
        self._handshakes = handshakes

    async def refresh(self) -> None:
        """All of it is here."""

    async def troubles(self) -> list[Trouble]:
        return [
            Trouble(f"not written to the broker: {why}", f"see {self._page}")
            for why in self._relaying.why_not()[:NAMED_MAX]
        ]

    def collect(self) -> Iterator[Metric]:
        relaying = self._relaying
        shards = {number: one.progress for number, one in relaying.shards.items()}
        yield OURS.gauges("version", "1; its label is the version of this process.", "version", {VERSION: 1})
        yield OURS.gauge("feed_up", "1 while the ledger answers.", relaying.ledger_answers)
        up = relaying.sink_answers
        yield OURS.gauges(
            "sink_up",
            "1 while the broker answers, as last tried; absent before it was.",
            "sink",
            {} if up is None else {self._sink: up},
        )
        yield from _of_shards(self._sink, shards)
        yield from _counted(self._sink, list(shards.values()))
        yield from OURS.of_process((self._handshakes,))


def _of_shards(sink: str, shards: dict[int, Progress]) -> Iterator[Metric]:
    now_s = time.time()
    labels = "sink", "shard"
    yield OURS.gauges(
        "writes",
        "1 for shards that this relay writes, 0 for those of which it stands by; the sum of all relays is 1 for each, "
        "or another number for moments.",
        labels,
        {(sink, str(shard)): one.state is State.WRITING for shard, one in shards.items()},
    )
    yield OURS.gauges(
        "stopped",
        "1 for shards that are not written until somebody mends what /readyz says; alert on any.",
        labels,
        {(sink, str(shard)): one.state is State.STOPPED for shard, one in shards.items()},
    )
    yield OURS.gauges(
        "seq",
        "Seq of the last event that is at the broker, also where another relay wrote it, as last seen.",
        labels,
        {(sink, str(shard)): one.seq for shard, one in shards.items()},
    )
    yield OURS.gauges(
        "behind_events",
        "Events of the log that are not at the broker, as last seen.",
        labels,
        {(sink, str(shard)): one.behind for shard, one in shards.items()},
    )
    yield OURS.gauges(
        "behind_seconds",
        "How old the oldest event is that is not at the broker, or for how long one is known of; 0 without; alert "
        "above 60.",
        labels,
        {(sink, str(shard)): one.behind_s(now_s) for shard, one in shards.items()},
    )


def _counted(sink: str, shards: list[Progress]) -> Iterator[Metric]:
    yield OURS.counters(
        "batches", "Batches written: a page of one shard, whole.", "sink", {sink: sum(one.batches for one in shards)}
    )
    yield OURS.counters(
        "messages",
        "Messages in them: events, levels, news of history.",
        "sink",
        {sink: sum(one.messages for one in shards)},
    )
    yield OURS.counters(
        "claims",
        "Times that this relay took a shard: at the start, from another relay, or after the broker was away.",
        "sink",
        {sink: sum(one.claims for one in shards)},
    )
    yield OURS.counters(
        "superseded",
        "Times that another relay took a shard from this one.",
        "sink",
        {sink: sum(one.superseded for one in shards)},
    )
    yield OURS.counters(
        "history_rewritten",
        "Times that all levels of a shard were told anew, since history was rewritten; alert on any.",
        "sink",
        {sink: sum(one.rewritten for one in shards)},
    )
