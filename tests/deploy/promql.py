"""What a query of Prometheus asks for, as a parser of its language reads it; and what we export."""

from functools import cache

import promql_parser
from promql_parser import AggModifierType, AggregateExpr, VectorSelector

from tests.harness.source import REFERENCE, code_names, rows

PAGE = REFERENCE / "metrics.md"
OF_PROCESSES = {
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
}
"""Of Prometheus' client library, in every process; not named one by one on the page."""
OF_PROMETHEUS = {"instance", "job", "le"}
"""Labels that it gives itself, and those of buckets."""


def metrics_in(expression: str) -> set[str]:
    """Raises ValueError for what is no PromQL."""
    names: set[str] = set()

    def look(node: object) -> bool:
        if isinstance(node, VectorSelector):
            names.add(str(node.name))
        return True

    promql_parser.walk(promql_parser.parse(expression), look)
    return names


def labels_kept(expression: str) -> set[str]:
    """Of every ``by`` in it."""
    labels: set[str] = set()

    def look(node: object) -> bool:
        modifier = node.modifier if isinstance(node, AggregateExpr) else None
        if modifier is not None and modifier.type == AggModifierType.By:
            labels.update(modifier.labels)
        return True

    promql_parser.walk(promql_parser.parse(expression), look)
    return labels


@cache
def exported() -> dict[str, set[str]]:
    """The labels of every series that the reference names, of histograms each of the three."""
    found = {name: set[str]() for name in OF_PROCESSES}
    for cells in rows(PAGE.read_text(), "Metric"):
        ((name,), kind, labels) = code_names(cells[0]), cells[1], set(code_names(cells[2]))
        parts = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        found |= {f"{name}{part}": labels for part in parts}
    return found
