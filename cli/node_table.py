"""The screen of `stockwire top`. Pure: figures and the size of the terminal come in, text comes out."""

from collections.abc import Sequence

from rich.text import Text

from cli.node_figures import NodeFigures, NodeState, Totals, totals_of
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
SWEEPER_DELAY_S_MAX = 5.0
"""A sweeper that is further behind has more to let go of than it can; docs/reference/metrics.md says so too."""
_STYLES = {
    NodeState.BEHIND: "bold yellow",
    NodeState.UNREADY: "bold yellow",
    NodeState.AWAY: "bold red",
    NodeState.TOO_BIG: "bold red",
    NodeState.FOREIGN: "bold red",
}


def render(nodes: Sequence[NodeFigures], width: int, height: int) -> Text:
    """At most ``height`` lines, none wider than ``width`` columns: totals, holds, heading, a line for each process."""
    columns = Columns(NODES, min(width, WIDTH_MAX), gap=1)
    lines = [Text(cut(totals_line(nodes), width), style="bold"), *_holds(totals_of(nodes), width), Text("")]
    lines.append(Text(cut(columns.heading(), width), style="bold"))
    lines += [Text(cut(columns.line(_cells(node)), width), style=_STYLES.get(node.state, "")) for node in nodes]
    if len(lines) > height:
        lines = [*lines[: height - 1], Text(cut(f"and {len(lines) - height + 1} more", width), style="dim")]
    return Text("\n", no_wrap=True, end="").join(lines)


def lines_above(nodes: Sequence[NodeFigures]) -> int:
    """How many lines stand above those of the processes."""
    return 3 + len(_holds(totals_of(nodes), WIDTH_MAX))


def _holds(totals: Totals, width: int) -> list[Text]:
    """None where no ledger is looked at."""
    if totals.holds_released_before_refusal is None:
        return []
    delay_s = totals.sweeper_delay_s_max
    line = (
        f"holds {_shown(totals.holds_open)} open · {_shown(totals.holds_expired_per_s)} expired/s · "
        f"{_shown(totals.holds_released_before_refusal)} freed on demand · "
        f"sweeper {'–' if delay_s is None else f'{delay_s:,.1f}'} s behind"
    )
    late = delay_s is not None and delay_s > SWEEPER_DELAY_S_MAX
    return [Text(cut(line, width), style="bold yellow" if late else "")]


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
