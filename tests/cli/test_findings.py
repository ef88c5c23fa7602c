"""What a doctor's measurement means."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from cli.findings import (
    Answered,
    Finding,
    Report,
    State,
    buffer_finding,
    clock_finding,
    durability_finding,
    files_finding,
    hub_key_finding,
    origins_finding,
    stored_keys_findings,
    trip_finding,
    version_finding,
)
from ledger.keys import ApiKey

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SHOP = "https://shop.example"
GOOD_KEY = {"active": True, "scopes": ["hub"], "expires_at": None}
ENDS = (NOW + timedelta(days=3)).isoformat()


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        (origins_finding([], []), State.WARNING),
        (origins_finding(["*"], []), State.WARNING),
        (origins_finding([SHOP], []), State.GOOD),
        (origins_finding([SHOP], [Answered("the ledger", SHOP, True)]), State.GOOD),
        (origins_finding([SHOP], [Answered("a", SHOP, True), Answered("b", SHOP, False)]), State.FAILED),
        (hub_key_finding(200, GOOD_KEY, NOW), State.GOOD),
        (hub_key_finding(200, GOOD_KEY | {"expires_at": ENDS}, NOW), State.WARNING),
        (hub_key_finding(200, {"active": False}, NOW), State.FAILED),
        (hub_key_finding(401, {}, NOW), State.FAILED),
        (hub_key_finding(403, {}, NOW), State.FAILED),
        (hub_key_finding(503, {}, NOW), State.FAILED),
        (trip_finding("hub:1", 4.2, None), State.GOOD),
        (trip_finding("hub:1", 1_200.0, None), State.WARNING),
        (trip_finding("hub:1", 4.2, None, True), State.GOOD),
        (trip_finding("hub:1", 4.2, None, False), State.WARNING),
        (trip_finding("hub:1", None, None), State.FAILED),
        (trip_finding("hub:1", None, "gave no snapshot"), State.FAILED),
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


def key(id_: str, *scopes: str, ends: datetime | None = None, revoked: datetime | None = None) -> ApiKey:
    return ApiKey(id_, "till", "", b"", scopes, NOW - timedelta(days=90), ends, revoked)


def test_keys_that_end_soon_are_named_and_dead_ones_are_not() -> None:
    keys = [
        key("ended", "admin", ends=NOW - timedelta(days=1)),
        key("revoked", "admin", ends=NOW + timedelta(days=1), revoked=NOW),
        key("soon", "feed", ends=NOW + timedelta(days=13)),
        key("later", "feed", ends=NOW + timedelta(days=15)),
    ]
    admin, ending = stored_keys_findings(keys, NOW)
    assert (admin.state, ending.state) == (State.WARNING, State.WARNING)
    assert "soon of till on 2026-12-05" in ending.detail
    assert not {"ended", "revoked", "later"} & set(ending.detail.split())
    admin, ending = stored_keys_findings([key("a", "admin")], NOW)
    assert (admin.state, ending.state) == (State.GOOD, State.GOOD)


def test_a_long_finding_goes_on_below_in_the_width_of_the_terminal() -> None:
    report = Report([Finding("check", State.FAILED, "what is wrong " * 12, "what to do " * 12)])
    for width in (40, 80):
        assert max(map(len, report.as_text(width).splitlines())) <= width
    assert "\n  wrong" in report.as_text(80) or "\n  what" in report.as_text(80) or "\n  is" in report.as_text(80)


def test_whatever_is_not_good_says_the_fix() -> None:
    for finding in (version_finding(180004, False), clock_finding(9, 0), durability_finding({"fsync": "off"})):
        assert finding.fix


def test_a_warning_is_no_failure_and_a_failure_is() -> None:
    warning, failed = Finding("a", State.WARNING, "b", "c"), Finding("d", State.FAILED, "e", "f")
    assert Report([warning]).good
    assert not Report([warning, failed]).good
    assert json.loads(Report([failed]).as_json())["findings"][0]["state"] == "failed"
    assert "fix: f" in Report([failed]).as_text()
