"""What `stockwire top` makes of scrapes, and how it fits on a screen."""

import json

import pytest
from rich.cells import cell_len

from cli.node_figures import Kind, NodeFigures, NodeState, as_fields, figures_of, totals_of
from cli.node_table import render, totals_line
from cli.scrape import MEMORY, Scrape


def ledger(at_s: float, events: float, *, ready: bool = True) -> Scrape:
    values = {"stockwire_ledger_events_total": events, "stockwire_ledger_conflicts_total": 2.0, MEMORY: 2.0**20}
    return Scrape(at_s, ready, values)


def hub(at_s: float, events: float, *, ready: bool = True, fresh: float = 1.0) -> Scrape:
    return Scrape(
        at_s,
        ready,
        {
            "stockwire_hub_fresh": fresh,
            "stockwire_hub_lag_seconds": 0.25,
            "stockwire_hub_connections": 3.0,
            "stockwire_hub_event_streams": 1.0,
            "stockwire_hub_events_total": events,
            "stockwire_hub_deliveries_total": events * 4,
        },
    )


@pytest.mark.parametrize(
    ("scrape", "state"),
    [
        (NodeState.AWAY, NodeState.AWAY),
        (NodeState.TOO_BIG, NodeState.TOO_BIG),
        (Scrape(1, True, {MEMORY: 1.0, "process_open_fds": 7.0}), NodeState.FOREIGN),
        (ledger(1, 0), NodeState.READY),
        (ledger(1, 0, ready=False), NodeState.UNREADY),
        (hub(1, 0), NodeState.FRESH),
        (hub(1, 0, fresh=0.0), NodeState.BEHIND),
        (hub(1, 0, ready=False), NodeState.UNREADY),
    ],
)
def test_a_process_is_called_what_it_is(scrape: Scrape | NodeState, state: NodeState) -> None:
    assert figures_of("a", None, scrape).state is state


def test_a_change_is_not_counted_once_for_each_hub_that_saw_it() -> None:
    nodes = [
        figures_of("ledger", ledger(0, 0), ledger(1, 40)),
        figures_of("hub-1", hub(0, 0), hub(1, 40)),
        figures_of("hub-2", hub(0, 0), hub(1, 38)),
        figures_of("hub-3", None, NodeState.AWAY),
    ]
    totals = totals_of(nodes)
    assert (totals.nodes, totals.up, totals.clients) == (4, 3, 8)
    assert (totals.changes_per_s, totals.deliveries_per_s, totals.lag_ms_max) == (40, 4 * 78, 250)
    assert totals_of(nodes[1:]).changes_per_s == 40
    assert (totals.conflicts, totals.memory_bytes) == (2, 2**20)


def test_what_was_not_measured_is_a_dash_and_null() -> None:
    nodes = [figures_of("ledger", None, NodeState.AWAY)]
    assert totals_line(nodes) == "0 of 1 up · – changes/s · – sent/s · clients – · lag – ms · conflicts –"
    fields = json.loads(json.dumps(as_fields(nodes, "2026-11-22T10:00:00Z")))
    assert fields["nodes"] == [{"name": "ledger", "kind": None, "state": "away"} | dict.fromkeys(MEASURED)]


MEASURED = (
    *("clients", "changes_per_s", "deliveries_per_s", "lag_ms"),
    *("conflicts", "queued", "memory_bytes"),
)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 6), (20, 3), (200, 50)])
def test_the_screen_fits_the_terminal(width: int, height: int) -> None:
    busy = NodeFigures("a-hub-with-a-long-name:65535", Kind.HUB, NodeState.FRESH, 20_000, 123_456.7, 9_876_543.2, 4_000)
    lines = render([busy] * 8, width, height).plain.split("\n")
    assert len(lines) <= height
    assert max(cell_len(line) for line in lines) <= width
    if width >= 80:
        assert "9,876,5" in lines[3]
