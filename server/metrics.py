"""Metrics for Prometheus: families of one prefix, and what every process of ours exports."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from server.tls.handshakes import Handshakes, outcomes_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labelled = Mapping[str, float] | Mapping[int, int] | Mapping[tuple[str, str], float]
"""Values by their label, or by their labels in order."""


class Families:
    """``prefix``: of every name. Texts are those of docs/reference/metrics.md, to the letter."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def gauge(self, name: str, text: str, value: float) -> Metric:
        return GaugeMetricFamily(f"{self._prefix}_{name}", text, value=float(value))

    def counter(self, name: str, text: str, value: float) -> Metric:
        return CounterMetricFamily(f"{self._prefix}_{name}", text, value=float(value))

    def gauges(self, name: str, text: str, label: str | tuple[str, ...], values: Labelled) -> Metric:
        return _labelled(GaugeMetricFamily(f"{self._prefix}_{name}", text, labels=_several(label)), values)

    def counters(self, name: str, text: str, label: str | tuple[str, ...], values: Labelled) -> Metric:
        return _labelled(CounterMetricFamily(f"{self._prefix}_{name}", text, labels=_several(label)), values)

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


def create_registry(collector: Collector) -> CollectorRegistry:
    """Of ``collector``, the process (memory, files, processor) and its Python."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


def exposition(registry: CollectorRegistry) -> Response:
    return Response(generate_latest(registry), media_type=CONTENT_TYPE)


def _labelled(metric: GaugeMetricFamily | CounterMetricFamily, values: Labelled) -> Metric:
    for labels, number in values.items():
        metric.add_metric([str(one) for one in _several(labels)], number)
    return metric


def _several(one: object) -> tuple[Any, ...]:
    return one if isinstance(one, tuple) else (one,)
