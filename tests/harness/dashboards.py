"""What Grafana's dashboards ask Prometheus for; Grafana itself cannot be had here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """``legend_labels``: those that the legend shows."""

    title: str
    expression: str
    legend_labels: frozenset[str]


def panels_of(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Without the rows that head them."""
    return (panel for panel in dashboard["panels"] if panel["type"] != "row")


def queries_of(dashboard: Mapping[str, Any]) -> Iterator[PanelQuery]:
    for panel in panels_of(dashboard):
        for target in panel["targets"]:
            legend = target.get("legendFormat", "")
            yield PanelQuery(panel["title"], target["expr"], frozenset(re.findall(r"{{(\w+)}}", legend)))


def asked(expression: str, window: str = "1m", span: str = "30m") -> str:
    """As Grafana asks it. ``window``: of a rate; ``span``: all that is shown."""
    return expression.replace("$__rate_interval", window).replace("$__range", span)
