"""What a process is said to be follows from its own metrics; what they do not say is unknown, with the reason."""

from console.following.nodes import read_page
from console.watched.metric_page import Reading, rate
from console.watched.node import ONE_READING, Watched, node_of
from console.watched.trouble import of_node, of_versions

HUB = """
# TYPE stockwire_hub_version gauge
stockwire_hub_version{{version="{version}"}} 1.0
# TYPE stockwire_hub_node gauge
stockwire_hub_node{{node="hub-1"}} 1.0
# TYPE stockwire_hub_fresh gauge
stockwire_hub_fresh {fresh}
# TYPE stockwire_hub_lag_seconds gauge
stockwire_hub_lag_seconds 2.3
# TYPE stockwire_hub_draining gauge
stockwire_hub_draining {draining}
# TYPE stockwire_hub_broker_up gauge
stockwire_hub_broker_up {broker}
# TYPE stockwire_hub_resumes counter
stockwire_hub_resumes_total{{recovered="true"}} 4.0
stockwire_hub_resumes_total{{recovered="false"}} 1.0
# TYPE stockwire_hub_events counter
stockwire_hub_events_total {events}
# TYPE process_start_time_seconds gauge
process_start_time_seconds {started}
"""


def hub(at_s: float, *, ready: bool = True, events: int = 0, started: float = 5.0, **said: object) -> Reading:
    values = {"version": "0.2.0", "fresh": 1, "draining": 0, "broker": 1, **said}
    return read_page(HUB.format(events=float(events), started=started, **values), at_s, ready=ready)


def watched(newest: Reading | None, before: Reading | None = None) -> Watched:
    return Watched("hub-1", "http://127.0.0.1:8092", newest, before)


def test_a_hub_is_shown_as_it_says_and_what_it_does_not_say_is_unknown() -> None:
    node = node_of(watched(hub(11.0, events=30), hub(10.0, events=10)))
    assert (node["kind"], node["state"], node["version"], node["lag_ms"]) == ("hub", "fresh", "0.2.0", 2300)
    assert (node["changes_per_s"], node["draining"], node["may_drain"]) == (20.0, False, True)
    assert [one["count"] for one in node["resyncs"]] == [4, 1]
    assert node["clients"] is None
    assert "another version" in node["unknown"]["clients"]
    assert node["unknown"]["schema"] == "a hub has no database"
    assert node_of(watched(hub(11.0)))["unknown"]["changes_per_s"] == ONE_READING


def test_a_process_that_does_not_answer_has_no_numbers_and_says_so() -> None:
    node = node_of(watched(None))
    assert (node["state"], node["kind"], node["lag_ms"]) == ("away", None, None)
    assert node["unknown"]["lag_ms"] == "the process does not answer"
    assert node_of(watched(read_page("", 1.0, ready=True)))["state"] == "foreign"


def test_a_rate_begins_anew_with_the_process() -> None:
    name = "stockwire_hub_events_total"
    assert rate(hub(10.0, events=100), hub(12.0, events=110), name) == 5.0
    assert rate(hub(10.0, events=100), hub(12.0, events=6), name) == 3.0
    assert rate(hub(10.0, events=1), hub(12.0, events=6, started=9.0), name) == 3.0
    assert rate(None, hub(12.0), name) is None
    assert rate(hub(10.0), hub(12.0), name.replace("events", "others")) is None


def test_whatever_hurts_is_said_with_a_fix() -> None:
    readings = {
        "does not answer": None,
        "is no ledger and no hub": read_page("", 1.0, ready=True),
        "drains": hub(1.0, ready=False, draining=1),
        "is not ready": hub(1.0, ready=False),
        "is behind by 2300 ms": hub(1.0, fresh=0),
        "does not reach the broker": hub(1.0, broker=0),
    }
    for words, reading in readings.items():
        (trouble,) = of_node(node_of(watched(reading)), reading)
        assert words in trouble.what
        assert trouble.fix
    assert of_node(node_of(watched(hub(1.0))), hub(1.0)) == []


def test_two_versions_beside_each_other_are_an_upgrade_under_way() -> None:
    nodes = [node_of(watched(hub(1.0, version=version))) for version in ("0.2.0", "0.3.0")]
    assert "0.2.0, 0.3.0" in of_versions(nodes)[0].what
    assert of_versions(nodes[:1]) == []
