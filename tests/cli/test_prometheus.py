"""What a Prometheus of `up` is told: each process by its name, and rules that are there wherever we are installed."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cli.prometheus import RULES, configuration
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

SOURCE = ROOT / "deploy" / "observe" / "rules"


def test_hubs_are_one_job_and_each_process_has_its_name() -> None:
    admin = {name: f"http://127.0.0.1:{port}" for port, name in enumerate(("ledger", "hub-1", "hub-12", "exporter"), 1)}
    told = configuration(admin, Path("/some/[odd] place"))
    assert told["rule_files"] == ["/some/[[]odd] place/*.yaml"], "brackets would be a pattern"
    assert told["scrape_configs"] == [
        {"job_name": "ledger", "static_configs": [target(1, "ledger")]},
        {"job_name": "hub", "static_configs": [target(2, "hub-1"), target(3, "hub-12")]},
        {"job_name": "exporter", "static_configs": [target(4, "exporter")]},
    ]


def target(port: int, name: str) -> dict[str, object]:
    return {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": name}}


@pytest.mark.usefixtures("processes")
def test_the_wheel_carries_the_rules(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE_S, check=True)
    (path,) = tmp_path.glob("*.whl")
    rules = {path.name: path.read_bytes() for path in SOURCE.glob("*.yaml")}
    assert len(rules) > 1
    with zipfile.ZipFile(path) as wheel:
        assert {name: wheel.read(f"cli/rules/{name}") for name in rules} == rules
    assert {path.name for path in RULES.glob("*.yaml")} == set(rules)
