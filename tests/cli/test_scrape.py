"""Rates out of two readings of a process's metrics, whatever happened in between."""

import pytest

from cli.scrape import STARTED, Scrape, rate, read_scrape
from cli.top import called

PAGE = """
# TYPE stockwire_ledger_events_total counter
stockwire_ledger_events_total 7.0
# TYPE stockwire_ledger_refused_total counter
stockwire_ledger_refused_total{type="insufficient-stock"} 2.0
stockwire_ledger_refused_total{type="version-conflict"} 3.0
# TYPE stockwire_hub_transit_seconds histogram
stockwire_hub_transit_seconds_bucket{le="+Inf"} 1.0
stockwire_hub_transit_seconds_count 1.0
stockwire_hub_transit_seconds_sum 0.5
# TYPE stockwire_hub_closes_total counter
# TYPE stockwire_ledger_holds_open gauge
# TYPE stockwire_hub_fresh gauge
stockwire_hub_fresh 1.0
"""


def scrape(at_s: float, events: float | None, started: float = 1_000.0) -> Scrape:
    values = {STARTED: started} | ({} if events is None else {"events": events})
    return Scrape(at_s, True, values)


def test_labels_are_summed_and_without_samples_a_counter_is_0_and_a_gauge_not_known() -> None:
    values = read_scrape(PAGE, 1.0, ready=True).values
    assert values == {
        "stockwire_ledger_events_total": 7,
        "stockwire_ledger_refused_total": 5,
        "stockwire_hub_closes_total": 0,
        "stockwire_hub_fresh": 1,
    }


@pytest.mark.parametrize("page", ["<html>", "stockwire_hub_fresh one"])
def test_what_is_no_page_of_metrics_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_scrape(page, 1.0, ready=True)


@pytest.mark.parametrize(
    ("before", "after", "per_s"),
    [
        (scrape(10, 100), scrape(12, 150), 25.0),
        (scrape(10, 100), scrape(12, 100), 0.0),
        (scrape(10, 100), scrape(12, 40), 20.0),  # fell: it began again at 0
        (scrape(10, 100), scrape(12, 150, started=2_000.0), 75.0),  # began again, and has overtaken what it was
        (None, scrape(12, 100), None),
        (scrape(10, None), scrape(12, 100), None),
        (scrape(10, 100), scrape(12, None), None),
        (scrape(12, 100), scrape(12, 100), None),
    ],
)
def test_a_counter_that_began_again_gives_no_negative_or_absurd_rate(
    before: Scrape | None, after: Scrape, per_s: float | None
) -> None:
    assert rate(before, after, "events") == per_s


def test_a_process_says_what_it_is_called() -> None:
    page = '# TYPE stockwire_hub_node gauge\nstockwire_hub_node{node="till-hub"} 1.0\n'
    assert read_scrape(page, 1.0, ready=True).node == "till-hub"
    assert read_scrape("# TYPE stockwire_hub_fresh gauge\nstockwire_hub_fresh 1.0\n", 1.0, ready=True).node is None


def test_nodes_of_one_name_are_told_apart_by_their_addresses() -> None:
    assert called(["a:1", "b:1", "c:1", "d:1"], {"a:1": "shop", "b:1": "shop", "c:1": "hub-1"}) == {
        "a:1": "shop a:1",
        "b:1": "shop b:1",
        "c:1": "hub-1",
        "d:1": "d:1",
    }
