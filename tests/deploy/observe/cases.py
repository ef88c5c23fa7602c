"""cases.yaml as promtool takes it: what raises each alert, when, with which words; and what does not."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.observe.rules import RULES, alerts

FILE = Path(__file__).with_name("cases.yaml")
STEP_S, BURN_STEP_S = 15, 60
"""Of budgets hours are needed."""
REPEATED = re.compile(r"(?<![\w.+])([\d.]+)x(\d+)")
"""To promtool 0x7 is hexadecimal."""
FIRING = 'ALERTS{alertstate="firing"}'
_UNITS = {"s": 1, "m": 60, "h": 3_600}


@cache
def cases() -> dict[str, Any]:
    return dict(yaml.safe_load(FILE.read_text()))


def seconds(duration: str) -> int:
    """Of ``1m15s`` and the like. Raises AssertionError for anything else."""
    parts = re.findall(r"(\d+)([smh])", duration)
    assert "".join(f"{number}{unit}" for number, unit in parts) == duration, duration
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def promtool_files() -> list[dict[str, Any]]:
    """One for each step. Budgets have nothing to burn in the first, and take most of the time."""
    burning = {name for name in cases()["alerts"] if "Burn" in name}
    quick = [file for file in RULES if file.name != "slo.yaml"]
    return [_file(STEP_S, set(cases()["alerts"]) - burning, quick), _file(BURN_STEP_S, burning, RULES)]


def _file(step_s: int, names: set[str], rule_files: Sequence[Path]) -> dict[str, Any]:
    tests = [{**_input({}, step_s), "name": "healthy", "promql_expr_test": [_never(FIRING, f"{step_s * 60}s")]}]
    for name, case in cases()["alerts"].items():
        if name in names:
            tests += [_firing(name, case["fires"], step_s), _quiet(name, case["quiet"], step_s)]
    return {"rule_files": [str(file) for file in rule_files], "evaluation_interval": f"{step_s}s", "tests": tests}


def _firing(name: str, case: dict[str, Any], step_s: int) -> dict[str, Any]:
    """Not before the fault, nor before its ``for`` is over; at ``within`` with its words, and nothing else."""
    rule = alerts()[name]
    since, within = seconds(case["since"]), seconds(case["within"])
    fired = f"{since + within}s"
    early = f"{max(0, since + seconds(rule.pending) - step_s)}s"
    labels = {**rule.labels, **case.get("labels", {})}
    others = "|".join([name, *case.get("also", [])])
    summary = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], rule.annotations["summary"])
    annotations = {**rule.annotations, "summary": summary, "description": case["says"]}
    return {
        **_input(case["series"], step_s),
        "name": f"{name} fires",
        "alert_rule_test": [
            {
                "eval_time": fired,
                "alertname": name,
                "exp_alerts": [{"exp_labels": labels, "exp_annotations": annotations}],
            }
        ],
        "promql_expr_test": [
            _never(FIRING, early),
            _never(f'ALERTS{{alertstate="firing", alertname!~"{others}"}}', fired),
        ],
    }


def _quiet(name: str, case: dict[str, Any], step_s: int) -> dict[str, Any]:
    never = _never(f'ALERTS{{alertstate="firing", alertname="{name}"}}', case["at"])
    return {**_input(case["series"], step_s), "name": f"{name} is quiet", "promql_expr_test": [never]}


def _input(series: dict[str, str], step_s: int) -> dict[str, Any]:
    given = {**cases()["healthy"], **series}
    return {
        "interval": f"{step_s}s",
        "input_series": [
            {"series": name, "values": REPEATED.sub(r"\1+0x\2", str(values))} for name, values in given.items()
        ],
    }


def _never(alerts: str, until: str) -> dict[str, Any]:
    """Until then, not once."""
    return {"expr": f"count by (alertname) (count_over_time({alerts}[1d]))", "eval_time": until, "exp_samples": []}
