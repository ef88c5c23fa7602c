"""One reading of a process's metrics, and what happened between two. Pure: pages and times are handed in.

Counters begin at 0 with their process: one that was started again in between is noticed by its start, or by a counter
that fell, and what it counts then has all happened since (as Prometheus' ``rate`` has it).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

STARTED = "process_start_time_seconds"
MEMORY = "process_resident_memory_bytes"
NODES = ("stockwire_ledger_node", "stockwire_hub_node")
"""Their label says what the process calls itself."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """``at_s``: monotonic seconds. ``values``: by the name of the sample, summed over its labels. ``node``: what the
    process calls itself; None if it does not say.
    """

    at_s: float
    ready: bool
    values: Mapping[str, float]
    node: str | None = None

    def value(self, name: str) -> float | None:
        return self.values.get(name)

    def has(self, prefix: str) -> bool:
        """Whether any sample's name begins so."""
        return any(name.startswith(prefix) for name in self.values)

    def whole(self, name: str) -> int | None:
        found = self.values.get(name)
        return None if found is None else round(found)


def read_scrape(page: str, at_s: float, *, ready: bool) -> Scrape:
    """Raises ValueError for what is no page of metrics. A counter without any label yet counts as 0; a gauge without
    any says nothing: it was not measured.
    """
    values: dict[str, float] = {}
    node: str | None = None
    for family in text_string_to_metric_families(page):
        if family.type in ("counter", "gauge"):
            counts = family.type == "counter"
            name = family.name + ("_total" if counts else "")
            if family.name in NODES and family.samples:
                node = family.samples[0].labels.get("node")
            if counts or family.samples:
                values[name] = sum(sample.value for sample in family.samples if sample.name == name)
    return Scrape(at_s, ready, values, node)


def rate(before: Scrape | None, after: Scrape, name: str) -> float | None:
    """Of a counter, per second. None without two readings of it."""
    now = after.value(name)
    then = None if before is None else before.value(name)
    if before is None or now is None or then is None or after.at_s <= before.at_s:
        return None
    if before.value(STARTED) != after.value(STARTED) or now < then:
        then = 0.0
    return (now - then) / (after.at_s - before.at_s)
