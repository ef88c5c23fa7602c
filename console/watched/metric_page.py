"""A page of metrics, as a process states them at one moment. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from console.watched.percentiles import Buckets

STARTED = "process_start_time_seconds"


@dataclass(frozen=True, slots=True)
class Sample:
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Reading:
    """``at_s``: monotonic. ``samples``: by the whole name of the line, such as ``..._total`` and ``..._bucket``."""

    at_s: float
    ready: bool
    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)

    def value(self, name: str) -> float | None:
        """Over all labels; None if the process does not state it."""
        samples = self.samples.get(name)
        return None if samples is None else sum(sample.value for sample in samples)

    def whole(self, name: str) -> int | None:
        value = self.value(name)
        return None if value is None or not math.isfinite(value) else round(value)

    def by(self, name: str, label: str) -> dict[str, float]:
        return {sample.labels.get(label, ""): sample.value for sample in self.samples.get(name, ())}

    def label(self, name: str, label: str) -> str | None:
        """Of a metric that says something by its labels alone."""
        samples = self.samples.get(name, ())
        return samples[0].labels.get(label) if samples else None

    def buckets(self, name: str) -> Buckets:
        """Of a histogram; empty if the process has none of this name."""
        return {_bound(sample.labels.get("le", "")): sample.value for sample in self.samples.get(f"{name}_bucket", ())}


def rate(before: Reading | None, now: Reading, name: str, label: str = "", value: str = "") -> float | None:
    """Of a counter, per second. None without two readings of it. A process that began anew has counted from 0."""

    def of(reading: Reading) -> float | None:
        return reading.by(name, label).get(value, 0.0) if label else reading.value(name)

    if before is None or now.at_s <= before.at_s or name not in now.samples or name not in before.samples:
        return None
    new, old = of(now) or 0.0, of(before) or 0.0
    if before.value(STARTED) != now.value(STARTED) or new < old:
        old = 0.0
    return (new - old) / (now.at_s - before.at_s)


def _bound(text: str) -> float:
    return math.inf if text == "+Inf" else float(text)
