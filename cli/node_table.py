"""The screen of `stockwire top`. Pure: figures and the size of the terminal come in, text comes out."""

from collections.abc import Sequence

from rich.text import Text

from cli.node_figures import NodeFigures, NodeState, totals_of
from stockwire.cli.columns import Column, Columns, cut

WIDTH_MAX = 100
"""Wider tables are harder to read across."""
NODES = (
    Column("node", 0),
    Column("state", 7),
    Column("clients", 7, right=True),
    Column("changes/s", 9, right=True),
    Column("sent/s", 8, right=True),
    Column("lag ms", 6, right=True),
    Column("conflicts", 9, right=True),
    Column("queued", 6, right=True),
    Column("MiB", 5, right=True),
)
_STYLES = {
    NodeState.BEHIND: "bold yellow",
    NodeState.UNREADY: "bold yellow",
    NodeState.AWAY: "bold red",
    NodeState.TOO_BIG: "bold red",
    NodeState.FOREIGN: "bold red",
}


def render(nodes: Sequence[NodeFigures], width: int, height: int) -> Text:
    """At most ``height`` lines, none wider than ``width`` columns: totals, heading, one line for each process."""
    columns = Columns(NODES, min(width, WIDTH_MAX), gap=1)
    lines = [Text(cut(totals_line(nodes), width), style="bold"), Text("")]
    lines.append(Text(cut(columns.heading(), width), style="bold"))
    lines += [Text(cut(columns.line(_cells(node)), width), style=_STYLES.get(node.state, "")) for node in nodes]
    if len(lines) > height:
        lines = [*lines[: height - 1], Text(cut(f"and {len(lines) - height + 1} more", width), style="dim")]
    return Text("\n", no_wrap=True, end="").join(lines)


def totals_line(nodes: Sequence[NodeFigures]) -> str:
    totals = totals_of(nodes)
    return (
        f"{totals.up} of {totals.nodes} up · {_shown(totals.changes_per_s)} changes/s · "
        f"{_shown(totals.deliveries_per_s)} sent/s · clients {_shown(totals.clients)} · "
        f"lag {_shown(totals.lag_ms_max)} ms · conflicts {_shown(totals.conflicts)}"
    )


def _cells(node: NodeFigures) -> list[str]:
    return [
        node.name,
        node.state.value,
        _shown(node.clients),
        _shown(node.changes_per_s),
        _shown(node.deliveries_per_s),
        _shown(node.lag_ms),
        _shown(node.conflicts),
        _shown(node.queued),
        _shown(None if node.memory_bytes is None else node.memory_bytes / 2**20),
    ]


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
