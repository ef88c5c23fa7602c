"""PromQL as the dashboards ask it. ``by``: labels that are kept; all others are summed away."""

from dataclasses import dataclass

WINDOW = "$__rate_interval"
"""Grafana's own: at least four readings, whatever the zoom."""


@dataclass(frozen=True, slots=True)
class Query:
    """``legend``: words, and labels as {{label}}."""

    expr: str
    legend: str = ""


def rate(counter: str, *by: str) -> str:
    """Per second."""
    return f"sum{_by(by)}(rate({counter}[{WINDOW}]))"


def quantile(part: float, histogram: str, *by: str, where: str = "") -> str:
    """In the histogram's own unit; from its buckets, so as exact as they are narrow."""
    return f"histogram_quantile({part}, sum by ({', '.join(('le', *by))}) (rate({histogram}_bucket{where}[{WINDOW}])))"


def quantiles(histogram: str, *, where: str = "") -> tuple[Query, Query]:
    return Query(quantile(0.5, histogram, where=where), "p50"), Query(quantile(0.99, histogram, where=where), "p99")


def mean(histogram: str, *by: str) -> str:
    return f"{rate(f'{histogram}_sum', *by)} / {rate(f'{histogram}_count', *by)}"


def share(part: str, whole: str) -> str:
    """0 to 1; absent while there is nothing to have a share of."""
    return f"{part} / ({whole} > 0)"


def of(kind: str, metric: str) -> str:
    """Of all processes' ``metric``, that of our processes of one kind: ledger, hub, channels or exporter."""
    return f"{metric} and on (job, instance) stockwire_{kind}_version"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""
