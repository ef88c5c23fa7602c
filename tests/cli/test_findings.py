"""What a doctor's measurement means."""

import json

import pytest

from cli.findings import (
    Finding,
    Report,
    State,
    buffer_finding,
    clock_finding,
    durability_finding,
    files_finding,
    version_finding,
)


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        (version_finding(140012, False), State.FAILED),
        (version_finding(160004, False), State.GOOD),
        (version_finding(180004, False), State.WARNING),
        (version_finding(180004, True), State.GOOD),
        (version_finding(180006, False), State.GOOD),
        (clock_finding(0.05, 0.01), State.GOOD),
        (clock_finding(0.5, 0.01), State.WARNING),
        (clock_finding(0.5, 0.6), State.GOOD),
        (clock_finding(-9.0, 0.01), State.FAILED),
        (durability_finding({"fsync": "on", "synchronous_commit": "on"}), State.GOOD),
        (durability_finding({"fsync": "off", "synchronous_commit": "on"}), State.FAILED),
        (buffer_finding("normal 0 0 0 slave 1 1 60 pubsub 33554432 8388608 60"), State.GOOD),
        (buffer_finding("pubsub 0 0 0"), State.GOOD),
        (buffer_finding("pubsub 1048576 8388608 60"), State.WARNING),
        (buffer_finding(""), State.SKIPPED),
        (files_finding(1024), State.WARNING),
        (files_finding(65536), State.GOOD),
        (files_finding(-1), State.GOOD),
    ],
)
def test_a_measurement_is_judged(finding: Finding, state: State) -> None:
    assert finding.state is state


def test_whatever_is_not_good_says_the_fix() -> None:
    for finding in (version_finding(180004, False), clock_finding(9, 0), durability_finding({"fsync": "off"})):
        assert finding.fix


def test_a_warning_is_no_failure_and_a_failure_is() -> None:
    warning, failed = Finding("a", State.WARNING, "b", "c"), Finding("d", State.FAILED, "e", "f")
    assert Report([warning]).good
    assert not Report([warning, failed]).good
    assert json.loads(Report([failed]).as_json())["findings"][0]["state"] == "failed"
    assert "fix: f" in Report([failed]).as_text()
