"""Metrics for Prometheus: families of one prefix, and what every process of ours exports."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from starlette.requests import Request
from starlette.responses import Response

from server.histogram import Histogram
from server.tls.handshakes import Handshakes, outcomes_of
from server.tracing.exporting import Counts
from server.tracing.tracing import Tracing

OPENMETRICS = "application/openmetrics-text"

Labelled = Mapping[str, float] | Mapping[int, int] | Mapping[tuple[str, str], float]
"""Values by their label, or by their labels in order."""


class Families:
    """``prefix``: of every name. Texts are those of docs/reference/metrics.md, to the letter."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def gauge(self, name: str, text: str, value: float | None) -> Metric:
        """``value``: None where it is described and absent."""
        return GaugeMetricFamily(f"{self._prefix}_{name}", text, value=None if value is None else float(value))

    def counter(self, name: str, text: str, value: float) -> Metric:
        return CounterMetricFamily(f"{self._prefix}_{name}", text, value=float(value))

    def gauges(self, name: str, text: str, label: str | tuple[str, ...], values: Labelled) -> Metric:
        return _labelled(GaugeMetricFamily(f"{self._prefix}_{name}", text, labels=_several(label)), values)

    def counters(self, name: str, text: str, label: str | tuple[str, ...], values: Labelled) -> Metric:
        return _labelled(CounterMetricFamily(f"{self._prefix}_{name}", text, labels=_several(label)), values)

    def histogram(self, name: str, text: str, histogram: Histogram) -> Metric:
        return self.histograms(name, text, (), {(): histogram})

    def histograms(
        self, name: str, text: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], Histogram]
    ) -> Metric:
        family = HistogramMetricFamily(f"{self._prefix}_{name}", text, labels=labels)
        for of_labels, histogram in values.items():
            family.add_metric(of_labels, _buckets(histogram), histogram.sum)
        return family

    def of_process(self, ports: Sequence[Handshakes]) -> Iterator[Metric]:
        """Within the process's loop. ``ports``: all of the process."""
        yield self.gauge(
            "tls_under_way", "Handshakes of TLS under way, on all ports.", sum(port.under_way for port in ports)
        )
        yield self.counters(
            "tls_handshakes",
            "Handshakes of TLS that ended, by outcome: done, failed, or gave_way to newer ones.",
            "outcome",
            outcomes_of(ports),
        )
        yield self.gauge(
            "tasks",
            "Tasks of this process: some of its own, some for each connection and request; a leak grows for ever.",
            len(asyncio.all_tasks()),
        )

    def of_tracing(self, tracing: Tracing | None) -> Iterator[Metric]:
        """The same families where nothing is traced: all 0."""
        counts = Counts() if tracing is None else tracing.exporting.counts
        yield self.counters(
            "spans",
            "Spans of traces, by outcome: exported, failed (no collector took them) or dropped (too many waited).",
            "outcome",
            asdict(counts),
        )
        yield self.counter(
            "traces_limited",
            "Requests, batches or flushes that were not traced because as many others as may be were.",
            0 if tracing is None else tracing.sampling.limited,
        )


def create_registry(collector: Collector) -> CollectorRegistry:
    """Of ``collector``, the process (memory, files, processor) and its Python."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


def exposition(registry: CollectorRegistry, request: Request) -> Response:
    """OpenMetrics 1.0 for who asks for it, which alone has exemplars; else Prometheus' text."""
    encode, content_type = choose_encoder(OPENMETRICS if OPENMETRICS in request.headers.get("Accept", "") else "")
    return Response(encode(registry), media_type=content_type)


def _labelled(metric: GaugeMetricFamily | CounterMetricFamily, values: Labelled) -> Metric:
    for labels, number in values.items():
        metric.add_metric([str(one) for one in _several(labels)], number)
    return metric


def _buckets(histogram: Histogram) -> list[tuple[str, float] | tuple[str, float, Exemplar]]:
    """Cumulative, as they are exported."""
    buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
    bounds = (*map(float, histogram.bounds), "+Inf")
    for place, (bound, count) in enumerate(zip(bounds, accumulate(histogram.counts), strict=True)):
        bucket = str(bound), float(count)
        if place in histogram.exemplars:
            seconds, exemplar = histogram.exemplars[place]
            buckets.append((*bucket, Exemplar({"trace_id": exemplar.trace_id}, seconds, exemplar.at)))
        else:
            buckets.append(bucket)
    return buckets


def _several(one: object) -> tuple[Any, ...]:
    return one if isinstance(one, tuple) else (one,)
