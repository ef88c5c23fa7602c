"""What `stockwire top` makes of scrapes, and how it fits on a screen."""

import json

import pytest
from rich.cells import cell_len

from cli.node_figures import Kind, NodeFigures, NodeState, as_fields, figures_of, totals_of
from cli.node_table import lines_above, render, totals_line
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


def channels(at_s: float, sent: float) -> Scrape:
    return Scrape(at_s, True, {"stockwire_channels_attempts_total": sent, "stockwire_channels_behind": 7.0})


def exporter(at_s: float, events: float, *, ready: bool = True) -> Scrape:
    return Scrape(at_s, ready, {"stockwire_exporter_feed_up": 1.0, "stockwire_audit_events_total": events})


def relay(at_s: float, sent: float) -> Scrape:
    return Scrape(at_s, True, {"stockwire_relay_messages_total": sent, "stockwire_relay_behind_events": 9.0})


def intake(at_s: float) -> Scrape:
    return Scrape(at_s, True, {"stockwire_intake_in_flight": 5.0})


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
        (channels(1, 0), NodeState.READY),
        (exporter(1, 0), NodeState.READY),
        (relay(1, 0), NodeState.READY),
        (intake(1), NodeState.READY),
        (exporter(1, 0, ready=False), NodeState.UNREADY),
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
    *("conflicts", "queued", "memory_bytes", "holds_open", "holds_expired_per_s"),
    *("holds_released_before_refusal", "sweeper_delay_s"),
)


def holding(at_s: float, swept: float, **values: float) -> Scrape:
    counted = {
        "stockwire_ledger_holds_expired_total": swept,
        "stockwire_ledger_holds_released_before_refusal_total": 3.0,
        "stockwire_ledger_sweeper_delay_seconds": 0.25,
    }
    return Scrape(at_s, True, {**counted, **values})


def test_levels_that_wait_for_webhooks_are_no_queue_of_the_ledger() -> None:
    nodes = [figures_of("ledger", None, ledger(1, 0)), figures_of("channels", channels(0, 0), channels(2, 6))]
    assert (nodes[1].kind, nodes[1].queued, nodes[1].deliveries_per_s) == (Kind.CHANNELS, 7, 3)
    assert totals_of(nodes).queued is None


def test_what_relays_and_intakes_have_in_hand_is_no_queue_of_the_ledger() -> None:
    nodes = [figures_of("relay", relay(0, 0), relay(2, 8)), figures_of("intake", None, intake(1))]
    assert [(node.kind, node.queued) for node in nodes] == [(Kind.RELAY, 9), (Kind.INTAKE, 5)]
    assert nodes[0].deliveries_per_s == 4
    assert totals_of(nodes).queued is None


def test_events_that_the_exporter_audits_are_no_changes_of_their_own() -> None:
    nodes = [figures_of("ledger", ledger(0, 0), ledger(2, 40)), figures_of("exporter", exporter(0, 0), exporter(2, 36))]
    assert (nodes[1].kind, nodes[1].changes_per_s) == (Kind.EXPORTER, 18)
    assert totals_of(nodes).changes_per_s == 20


def test_open_holds_are_counted_once_however_many_ledgers_count_them() -> None:
    nodes = [
        figures_of("ledger-1", holding(0, 0), holding(2, 80, stockwire_ledger_holds_open=1_200.0)),
        figures_of("ledger-2", holding(0, 5), holding(2, 5, stockwire_ledger_holds_open=1_198.0)),
        figures_of("hub-1", hub(0, 0), hub(2, 40)),
    ]
    lines = render(nodes, 80, 24).plain.split("\n")
    assert lines[1] == "holds 1,200 open · 40 expired/s · 6 freed on demand · sweeper 0.2 s behind"
    assert lines[3].split()[0] == "node"
    assert len(lines) == lines_above(nodes) + len(nodes)
    (unknown,) = [line for line in render(nodes[1:2], 80, 24).split("\n") if line.plain.startswith("holds")]
    assert unknown.spans == []


def test_what_a_ledger_does_not_know_of_holds_is_a_dash_and_a_late_sweeper_is_seen() -> None:
    late = figures_of("ledger", None, holding(2, 80, stockwire_ledger_sweeper_delay_seconds=61.0))
    line = render([late], 80, 24).split("\n")[1]
    assert line.plain == "holds – open · – expired/s · 3 freed on demand · sweeper 61.0 s behind"
    assert [str(span.style) for span in line.spans] == ["bold yellow"]
    assert render([figures_of("hub-1", None, hub(2, 40))], 80, 24).plain.split("\n")[1] == ""


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 6), (20, 3), (200, 50)])
def test_the_screen_fits_the_terminal(width: int, height: int) -> None:
    busy = NodeFigures("a-hub-with-a-long-name:65535", Kind.HUB, NodeState.FRESH, 20_000, 123_456.7, 9_876_543.2, 4_000)
    lines = render([busy] * 8, width, height).plain.split("\n")
    assert len(lines) <= height
    assert max(cell_len(line) for line in lines) <= width
    if width >= 80:
        assert "9,876,5" in lines[3]
