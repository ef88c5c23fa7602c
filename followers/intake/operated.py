"""An intake as whoever operates the process sees it, and Prometheus.

The help texts are those of docs/reference/metrics.md, to the letter.
"""

from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from followers.intake.applying import Applying
from followers.intake.consuming import Consuming
from followers.operated import Trouble
from server.metrics import Families
from server.tls.handshakes import Handshakes
from server.version import VERSION

OURS = Families("stockwire_intake")


class OperatedIntake(Collector):
    """See ``followers.operated.Operated``."""

    def __init__(self, applying: Applying, consuming: Consuming, handshakes: Handshakes) -> None:
        self._applying = applying
        self._consuming = consuming
        self._handshakes = handshakes

    async def refresh(self) -> None:
        """All of it is here."""

    def collect(self) -> Iterator[Metric]:
        applying = self._applying
        counts = applying.counts
        yield OURS.gauges("version", "1; its label is the version of this process.", "version", {VERSION: 1})
        yield OURS.gauge("source_up", "1 while commands may come from the broker.", self._consuming.away is None)
        yield OURS.gauge("ledger_up", "1 while the ledger takes commands.", applying.trouble is None)
        yield OURS.gauge("waiting", "1 while nothing is sent because the ledger asked to wait.", applying.waiting)
        yield OURS.gauge("in_flight", "Commands in hand that were not decided yet.", applying.in_flight)
        yield OURS.counter("taken", "Commands delivered, repeats among them.", counts.taken)
        yield OURS.counter(
            "redelivered",
            "Of these, those that somebody had begun before and not acknowledged, or may have.",
            counts.redelivered,
        )
        yield OURS.counters(
            "answered",
            "Commands that the ledger decided, repeats among them: done, or refused for good.",
            "outcome",
            {"done": counts.done, "refused": counts.refused},
        )
        yield OURS.counter("dead", "Messages laid aside that can never be done as they are; alert on any.", counts.dead)
        yield OURS.counter("later", "Answers of the ledger that asked to wait.", counts.later)
        yield OURS.counter("reconnected", "Times that the broker had to be reached anew.", counts.reconnected)
        yield from OURS.of_process((self._handshakes,))

    async def troubles(self) -> list[Trouble]:
        """Why nothing is taken now."""
        found = []
        if away := self._consuming.away:
            found.append(
                Trouble(
                    f"no commands come from the broker: {away}", "see that the broker of STOCKWIRE_INTAKE_FROM runs"
                )
            )
        if trouble := self._applying.trouble:
            found.append(
                Trouble(
                    f"no commands are taken: {trouble}",
                    "see that the ledger of STOCKWIRE_URL runs, and the key is good",
                )
            )
        return found
