"""The audit and the skus that sell fastest, as whoever operates the process sees them, and Prometheus.

The help texts are those of docs/reference/metrics.md, to the letter. No metric names a location, and none names a sku
but those of ``SKUS``.
"""

import time
from collections.abc import Iterator, Sequence

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from followers.exporter.following import Following
from followers.exporter.history import History
from followers.exporter.hottest import minutes_left
from followers.exporter.violations import INVARIANTS
from followers.operated import Trouble
from server.metrics import Families
from server.tls.handshakes import Handshakes
from server.version import VERSION

OURS, AUDIT, SKUS = Families("stockwire_exporter"), Families("stockwire_audit"), Families("stockwire_sku")


class OperatedExporter(Collector):
    """See ``followers.operated.Operated``. ``hottest``: how many; ``skus``: those on the list."""

    def __init__(self, following: Following, hottest: int, skus: Sequence[str], handshakes: Handshakes) -> None:
        self._following = following
        self._hottest = hottest
        self._skus = skus
        self._handshakes = handshakes

    async def refresh(self) -> None:
        """All of it is here."""

    def collect(self) -> Iterator[Metric]:
        following = self._following
        yield OURS.gauges("version", "1; its label is the version of this process.", "version", {VERSION: 1})
        yield OURS.gauge("feed_up", "1 while the ledger's log is followed.", following.away is None)
        yield OURS.counter(
            "history_rewritten",
            "Times that history was rewritten, and the audit began anew; alert on any.",
            following.counts.rewritten,
        )
        yield from self._audit()
        if following.history is not None:
            yield from self._positions(following.history)
            yield from self._of_skus(following.history)
        yield from OURS.of_process((self._handshakes,))

    async def troubles(self) -> list[Trouble]:
        """Every invariant that was found broken since the process started."""
        violations = self._following.violations
        found = [
            Trouble(
                f"{count:,} times not so since the exporter started: {INVARIANTS[name]}; the last: "
                + "; ".join(violations.newest(name)),
                "stop what sells at these levels, look at them with stockwire doctor --audit, and see "
                "docs/how-to/when-things-break.md",
            )
            for name, count in violations.counts.items()
            if count
        ]
        if away := self._following.away:
            found.append(Trouble(f"the log is not audited: {away}", "see that the ledger of STOCKWIRE_URL runs"))
        return found

    def _audit(self) -> Iterator[Metric]:
        counts = self._following.counts
        yield AUDIT.counters(
            "violations",
            "What was found that must not be, by invariant: seqs or versions that are not dense, a wrong balance, "
            "negative, oversold (on_hand below reserved), transit (units on their way that are not reserved), levels "
            "(a row that differs from its last event), history (an event that was changed later); alert on any.",
            "invariant",
            self._following.violations.counts,
        )
        yield AUDIT.counter("events", "Events audited.", counts.events)
        yield AUDIT.counter(
            "first_sights",
            "Of these, events of levels of which nothing was known, so that they were judged by themselves alone.",
            counts.first_sights,
        )
        yield AUDIT.counter(
            "levels_let_go",
            "Levels that were forgotten since others moved later: STOCKWIRE_EXPORTER_LEVELS_MAX is too small for this "
            "shop.",
            counts.levels_let_go,
        )
        yield AUDIT.counter("rows", "Rows of levels compared with their last event.", counts.rows)
        yield AUDIT.counter("walks", "Times that all levels were read for that, page by page.", counts.walks)
        yield AUDIT.counter(
            "events_again", "Events compared a second time, as the database has them.", counts.events_again
        )

    def _positions(self, history: History) -> Iterator[Metric]:
        yield AUDIT.gauges(
            "seq", "Seq of the last event that was audited; compare it with the head.", "shard", history.audit.seqs
        )
        yield AUDIT.gauges("head", "Seq of the last event of a shard when it was last read.", "shard", history.heads)
        yield AUDIT.gauge(
            "behind_seconds",
            "How old the last audited event is while there are more, or for how long the ledger's answer is overdue; 0 "
            "when everything is audited; alert above 5.",
            history.behind_s(),
        )
        yield AUDIT.gauge("levels", "Levels whose last event is known.", history.known.count)

    def _of_skus(self, history: History) -> Iterator[Metric]:
        now_s = time.time()
        names = dict.fromkeys((*history.hottest.names(self._hottest, now_s), *self._skus))
        rates = {sku: history.hottest.per_s(sku, now_s) for sku in names}
        available = {sku: units for sku in names if (units := _available(history, sku)) is not None}
        left = {sku: minutes_left(units, rates[sku][1]) for sku, units in available.items()}
        yield SKUS.gauges(
            "available",
            "Units that can be sold, at all locations together: of the skus that sell fastest, and of those in "
            "STOCKWIRE_EXPORTER_SKUS. Absent until all levels of the sku are known.",
            "sku",
            available,
        )
        yield SKUS.gauges(
            "sold_per_second",
            "Units of these skus that left for good, over the last minute.",
            "sku",
            {sku: sold for sku, (sold, _) in rates.items()},
        )
        yield SKUS.gauges(
            "minutes_left",
            "Until nothing is left, if units are taken as fast as over the last minute. Absent while none are.",
            "sku",
            {sku: minutes for sku, minutes in left.items() if minutes is not None},
        )


def _available(history: History, sku: str) -> int | None:
    known = history.known.of(sku)
    if known is None:
        return 0 if history.known.all_of_them else None
    return known.available if known.whole else None
