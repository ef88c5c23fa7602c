"""The examples for Prometheus and Alertmanager are what their own tools take, and name alerts that there are."""

import re
import subprocess

import pytest
import yaml

from tests.deploy.observe.rules import OBSERVE, alerts
from tests.harness.programs import need_program
from tests.harness.waiting import PATIENCE_S

ALERTMANAGER = OBSERVE / "alertmanager.yml"


@pytest.mark.usefixtures("processes")
def test_prometheus_and_alertmanager_take_them() -> None:
    assert "SUCCESS" in _run("promtool", "check", "config", "--lint-fatal", str(OBSERVE / "prometheus.yml"))
    assert "SUCCESS" in _run("amtool", "check-config", str(ALERTMANAGER))


@pytest.mark.usefixtures("processes")
def test_each_severity_has_its_receiver() -> None:
    for severity in {rule.labels["severity"] for rule in alerts().values()}:
        route = ["config", "routes", "test", f"--config.file={ALERTMANAGER}", f"severity={severity}"]
        assert _run("amtool", *route).strip() == severity


def test_what_holds_back_and_what_is_held_back_are_alerts() -> None:
    for rule in yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            for name in _alternatives(matcher.partition('"')[2].rstrip('"')):
                assert [alert for alert in alerts() if re.fullmatch(name, alert)], f"no alert {name}"


def _alternatives(expression: str) -> list[str]:
    """Of a regular expression, those that stand in no brackets."""
    return re.split(r"\|(?![^(]*\))", expression)


def _run(program: str, *arguments: str) -> str:
    command = [need_program(program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
