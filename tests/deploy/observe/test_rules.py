"""Every alert fires when it should, says why with the numbers, has a page that helps, and asks for what there is."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.observe.cases import cases, promtool_files, seconds
from tests.deploy.observe.rules import ON_CALL, RULES, Rule, alerts, rules
from tests.deploy.promql import exported
from tests.docs.pages import anchors_of
from tests.harness.programs import need_program
from tests.harness.source import ROOT, section
from tests.harness.waiting import PATIENCE_S

SEVERITIES = {"page", "ticket"}
PROMTOOL_S = 5 * PATIENCE_S
"""It takes 12 s of processor time for the days of all alerts: longer than anything else beside a busy machine."""
BURN = re.compile(r"stockwire:slo_errors:ratio_rate(\w+)\{[^}]*\} > ([\d.]+) \*")
WINDOWS = {"Fast": [("1h", "14.4"), ("5m", "14.4"), ("6h", "6"), ("30m", "6")]}
WINDOWS["Slow"] = [("1d", "3"), ("2h", "3"), ("3d", "1"), ("6h", "1")]
"""Google's SRE workbook, "Alerting on SLOs", table of recommended parameters."""


@pytest.mark.timeout(3 * PROMTOOL_S)
@pytest.mark.usefixtures("processes")
def test_promtool_takes_the_rules_and_every_alert_fires_and_is_quiet_as_it_should(tmp_path: Path) -> None:
    files = [tmp_path / "tests.yaml", tmp_path / "burn.yaml"]
    for file, tests in zip(files, promtool_files(), strict=True):
        file.write_text(yaml.safe_dump(tests, sort_keys=False))
    _promtool("check", "rules", "--lint-fatal", *map(str, RULES))
    for file in files:
        _promtool("test", "rules", str(file))


def _promtool(*arguments: str) -> None:
    command = [need_program("promtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROMTOOL_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_that_raises_it_and_one_that_does_not() -> None:
    given = cases()["alerts"]
    assert set(given) == set(alerts())
    assert [name for name, case in given.items() if set(case) != {"fires", "quiet"}] == []
    assert [name for name, case in given.items() if not (case["fires"]["series"] and case["quiet"]["series"])] == []


def test_every_rule_asks_for_metrics_of_ours_that_there_are() -> None:
    there = set(exported())
    recorded = {rule.record for rule in rules() if rule.record}
    for rule in rules():
        _check_names(rule, there, recorded)


def test_a_rule_that_asks_for_nothing_of_ours_or_for_what_there_is_not_is_refused() -> None:
    for expression in ('up{job="ledger"} == 0', "stockwire_hub_frsh == 0", "stockwire_hub_fresh == stockwire:frsh"):
        with pytest.raises(AssertionError):
            _check_names(Rule("Some", "", expression, "0s", {}, {}), set(exported()), set())


def _check_names(rule: Rule, there: set[str], recorded: set[str]) -> None:
    name = rule.alert or rule.record
    assert rule.metrics or rule.recorded, f"{name} names no metric of ours: {rule.expression}"
    assert rule.metrics <= there, f"{name}: {rule.metrics - there} not in docs/reference/metrics.md"
    assert rule.recorded <= recorded, f"{name}: {rule.recorded - recorded} recorded by no rule"


def test_every_alert_leads_to_its_section_and_every_section_to_an_alert() -> None:
    anchors = anchors_of(ON_CALL)
    page = ON_CALL.relative_to(ROOT)
    for name, rule in alerts().items():
        assert rule.annotations["runbook_url"] == f"{page}#{name.lower()}"
        assert name.lower() in anchors, f"{page} has no section {name}"
    assert set(re.findall(r"^#+ (Stockwire\w+)$", ON_CALL.read_text(), re.MULTILINE)) == set(alerts())


def test_every_section_says_what_it_is_and_within_which_time_it_is_raised() -> None:
    text = ON_CALL.read_text()
    for name, rule in alerts().items():
        said = section(text, name)
        first = said.strip().splitlines()[0]
        within = cases()["alerts"][name]["fires"]["within"]
        assert first.startswith(f"{rule.labels['severity'].capitalize()}, within {_words(within)}"), f"{name}: {first}"
        assert {"**Users**", "**Look**", "**Do**"} <= set(re.findall(r"\*\*\w+\*\*", said)), name


def _words(duration: str) -> str:
    """Of ``1m15s``: 75 s; whole minutes in minutes."""
    total_s = seconds(duration)
    return f"{total_s // 60} min" if total_s >= 120 and total_s % 60 == 0 else f"{total_s} s"


def test_every_alert_says_how_bad_it_is_and_why_with_the_numbers() -> None:
    for name, rule in alerts().items():
        assert rule.labels["severity"] in SEVERITIES, name
        assert set(rule.annotations) == {"summary", "description", "runbook_url"}, name
        assert "$value" in rule.annotations["description"] or rule.expression.startswith("absent("), name
        assert set(re.findall(r"\$labels\.(\w+)", str(rule.annotations))) <= _labels(rule), name


def _labels(rule: Rule) -> set[str]:
    """That its expression keeps."""
    kept = re.search(r"\b(?:by|on) \(([^)]+)\)", rule.expression)
    return set(kept[1].split(", ")) if kept else set()


def test_budgets_burn_over_the_usual_windows() -> None:
    burning = {name: rule for name, rule in alerts().items() if "Burn" in name}
    assert len(burning) == 6
    for name, rule in burning.items():
        assert BURN.findall(rule.expression) == WINDOWS[name[-4:]], name


def test_every_window_of_an_objective_asks_the_same() -> None:
    windows: dict[str, dict[str, str]] = {}
    for rule in rules():
        if rule.record:
            window = rule.record.removeprefix("stockwire:slo_errors:ratio_rate")
            windows.setdefault(rule.labels["slo"], {})[window] = rule.expression
    assert set(windows) == {"writes", "commit_to_hub", "freshness"}
    for slo, by_window in windows.items():
        assert set(by_window) == {"5m", "30m", "1h", "2h", "6h", "1d", "3d"}, slo
        asked = {expression.replace(f"[{window}]", "[5m]") for window, expression in by_window.items()}
        assert asked == {by_window["5m"]}, slo
