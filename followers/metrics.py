"""What the process measures, for Prometheus: its parts, which are ``operated``, and its API.

The help texts are those of docs/reference/metrics.md, to the letter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from followers.answers import Answers
from followers.operated import OURS, Operated
from server.http.problems import Problems
from server.rates.rate_limits import RateLimits
from server.tls.handshakes import Handshakes
from server.version import VERSION


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts something beside the parts that are ``operated``."""

    answers: Answers
    problems: Problems
    rate_limits: RateLimits
    handshakes: Sequence[Handshakes]


class ChannelsCollector(Collector):
    """Reads what was counted, each time that somebody asks."""

    def __init__(self, operated: Sequence[Operated], counted: Counted) -> None:
        self._operated = operated
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        yield OURS.gauges("version", "1; its label is the version of this process.", "version", {VERSION: 1})
        for one in self._operated:
            yield from one.collect()
        counted = self._counted
        yield OURS.counters(
            "answers", "Requests to the API that were answered, by class of status.", "status", counted.answers.by_class
        )
        yield OURS.counters("problems", "Problem documents answered, by type.", "type", counted.problems.by_type)
        yield OURS.counter(
            "rate_limited",
            "Requests refused because their API key had sent too many.",
            counted.rate_limits.counters.limited,
        )
        yield from OURS.of_process(counted.handshakes)
