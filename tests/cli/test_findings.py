"""What a doctor's measurement means."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from cli import findings
from cli.findings import (
    Answered,
    BadgeScript,
    Finding,
    FindingState,
    OpenFiles,
    Report,
    badge_finding,
    buffer_finding,
    clock_finding,
    durability_finding,
    files_finding,
    hub_key_finding,
    origins_finding,
    stored_keys_findings,
    trip_finding,
    troubles_findings,
    version_finding,
    versions_finding,
)
from ledger.access.keys import ApiKey
from server.version import VERSION

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SHOP = "https://shop.example"
GOOD_KEY = {"active": True, "scopes": ["hub"], "expires_at": None}
ENDS = (NOW + timedelta(days=3)).isoformat()


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        (origins_finding([], []), FindingState.WARNING),
        (origins_finding(["*"], []), FindingState.WARNING),
        (origins_finding([SHOP], []), FindingState.GOOD),
        (origins_finding([SHOP], [Answered("the ledger", SHOP, True)]), FindingState.GOOD),
        (origins_finding([SHOP], [Answered("a", SHOP, True), Answered("b", SHOP, False)]), FindingState.FAILED),
        (badge_finding([]), FindingState.SKIPPED),
        (badge_finding([BadgeScript("https://a.example/v1/badge.js", "x")]), FindingState.GOOD),
        (badge_finding([BadgeScript("http://127.0.0.1:8091/v1/badge.js", "x")]), FindingState.GOOD),
        (badge_finding([BadgeScript("http://10.0.0.1:8091/v1/badge.js", "x")]), FindingState.WARNING),
        (
            badge_finding([BadgeScript("https://a.example", "x"), BadgeScript("https://b.example", "y")]),
            FindingState.WARNING,
        ),
        (hub_key_finding(200, GOOD_KEY, NOW), FindingState.GOOD),
        (hub_key_finding(200, GOOD_KEY | {"expires_at": ENDS}, NOW), FindingState.WARNING),
        (hub_key_finding(200, {"active": False}, NOW), FindingState.FAILED),
        (hub_key_finding(401, {}, NOW), FindingState.FAILED),
        (hub_key_finding(403, {}, NOW), FindingState.FAILED),
        (hub_key_finding(503, {}, NOW), FindingState.FAILED),
        (trip_finding("hub:1", 4.2, None), FindingState.GOOD),
        (trip_finding("hub:1", 1_200.0, None), FindingState.WARNING),
        (trip_finding("hub:1", 4.2, None, True), FindingState.GOOD),
        (trip_finding("hub:1", 4.2, None, False), FindingState.WARNING),
        (trip_finding("hub:1", None, None), FindingState.FAILED),
        (trip_finding("hub:1", None, "gave no snapshot"), FindingState.FAILED),
        (version_finding(140012, False), FindingState.FAILED),
        (version_finding(160004, False), FindingState.GOOD),
        (version_finding(180004, False), FindingState.WARNING),
        (version_finding(180004, True), FindingState.GOOD),
        (version_finding(180006, False), FindingState.GOOD),
        (clock_finding(0.05, 0.01), FindingState.GOOD),
        (clock_finding(0.5, 0.01), FindingState.WARNING),
        (clock_finding(0.5, 0.6), FindingState.GOOD),
        (clock_finding(-9.0, 0.01), FindingState.FAILED),
        (durability_finding({"fsync": "on", "synchronous_commit": "on"}), FindingState.GOOD),
        (durability_finding({"fsync": "off", "synchronous_commit": "on"}), FindingState.FAILED),
        (buffer_finding("normal 0 0 0 slave 1 1 60 pubsub 33554432 8388608 60"), FindingState.GOOD),
        (buffer_finding("pubsub 0 0 0"), FindingState.GOOD),
        (buffer_finding("pubsub 1048576 8388608 60"), FindingState.WARNING),
        (buffer_finding(""), FindingState.SKIPPED),
        (files_finding({"ledger": OpenFiles(40, 65536), "hub": OpenFiles(40, 1024)}), FindingState.WARNING),
        (files_finding({"ledger": OpenFiles(40, 65536), "hub": OpenFiles(60_000, 65536)}), FindingState.WARNING),
        (files_finding({"ledger": OpenFiles(40, 65536), "hub": OpenFiles(4_000, 65536)}), FindingState.GOOD),
        (files_finding({}), FindingState.SKIPPED),
    ],
)
def test_a_measurement_is_judged(finding: Finding, state: FindingState) -> None:
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
    assert (admin.state, ending.state) == (FindingState.WARNING, FindingState.WARNING)
    assert "soon of till on 2026-12-05" in ending.detail
    assert not {"ended", "revoked", "later"} & set(ending.detail.split())
    admin, ending = stored_keys_findings([key("a", "admin")], NOW)
    assert (admin.state, ending.state) == (FindingState.GOOD, FindingState.GOOD)


def test_the_process_that_may_open_too_few_files_is_named_with_where_to_change_it() -> None:
    finding = files_finding({"ledger": OpenFiles(40, 65536), "hub-2": OpenFiles(40, 1024)})
    assert finding.detail.startswith("hub-2 may have 1,024")
    assert "LimitNOFILE=65536" in finding.fix
    assert "ulimit -n 65536" in finding.fix
    full = files_finding({"ledger": OpenFiles(40, 65536), "hub-2": OpenFiles(60_000, 65536)})
    assert full.detail.startswith("hub-2 has 60,000 of 65,536 open")


def test_a_long_finding_goes_on_below_in_the_width_of_the_terminal() -> None:
    report = Report([Finding("check", FindingState.FAILED, "what is wrong " * 12, "what to do " * 12)])
    for width in (40, 80):
        assert max(map(len, report.as_text(width).splitlines())) <= width
    assert "\n  wrong" in report.as_text(80) or "\n  what" in report.as_text(80) or "\n  is" in report.as_text(80)


def test_the_line_of_the_badge_is_whole_in_a_narrow_terminal() -> None:
    finding = badge_finding([BadgeScript("https://hub.example/v1/badge.js", "b64+/=" * 10)])
    line = next(line for line in Report([finding]).as_text(40).splitlines() if line.startswith("<script"))
    assert 'src="https://hub.example/v1/badge.js?v=' in line
    assert line.endswith(f'integrity="sha384-{"b64+/=" * 10}" crossorigin></script>')
    other = badge_finding([BadgeScript("https://hub.example/v1/badge.js", "another", visitors=False)])
    assert "STOCKWIRE_HUB_VISITORS=1" in other.detail
    assert other.paste.split()[2] != finding.paste.split()[2], "what is cached of before does not match the hash"


def test_whatever_is_not_good_says_the_fix() -> None:
    for finding in (version_finding(180004, False), clock_finding(9, 0), durability_finding({"fsync": "off"})):
        assert finding.fix


def test_a_warning_is_no_failure_and_a_failure_is() -> None:
    warning, failed = Finding("a", FindingState.WARNING, "b", "c"), Finding("d", FindingState.FAILED, "e", "f")
    assert Report([warning]).good
    assert not Report([warning, failed]).good
    assert json.loads(Report([failed]).as_json())["findings"][0]["state"] == "failed"
    assert "fix: f" in Report([failed]).as_text()


def test_one_warning_is_not_two() -> None:
    warning, good = Finding("a", FindingState.WARNING, "b", "c"), Finding("d", FindingState.GOOD, "e")
    assert Report([warning, good]).as_text().splitlines()[-1] == "1 good, 1 warning"
    assert Report([warning, warning, good]).as_text().splitlines()[-1] == "1 good, 2 warnings"


@pytest.mark.parametrize(
    ("stated", "state"),
    [
        ({}, FindingState.SKIPPED),
        ({"hub-1": VERSION}, FindingState.GOOD),
        ({"hub-1": VERSION, "ledger-1": "0.1.0"}, FindingState.GOOD),
        ({"hub-1": "99.0.0", "ledger-1": "99.0.1"}, FindingState.FAILED),
    ],
)
def test_versions_are_judged_with_that_of_this_command(stated: dict[str, str], state: FindingState) -> None:
    assert versions_finding(stated).state is state


def test_the_oldest_of_a_mix_that_is_not_promised_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "VERSION", "0.2.0")
    found = versions_finding({"hub-1": "0.2.0", "a ledger at 10.0.0.5": "0.1.3", "ledger-1": "0.3.0"})
    assert found.state is FindingState.FAILED
    assert found.detail.startswith("a ledger at 10.0.0.5 is 0.1.3 and ledger-1 is 0.3.0")
    assert found.fix == "upgrade a ledger at 10.0.0.5"
    found = versions_finding({"hub-1": "0.4.0"})
    assert found.detail.startswith("this command is 0.2.0 and hub-1 is 0.4.0")


def test_what_is_wrong_is_told_once_by_the_name_of_who_looked() -> None:
    wrong = ("1 webhook is disabled", "resume it")
    found = troubles_findings([("webhooks", [wrong]), ("audit", []), ("webhooks", [wrong])])
    assert [(one.check, one.state) for one in found] == [
        ("webhooks", FindingState.WARNING),
        ("audit", FindingState.GOOD),
    ]
