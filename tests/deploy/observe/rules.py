"""The rules of deploy/observe/rules as they are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.harness.source import ROOT

OBSERVE = ROOT / "deploy" / "observe"
RULES = sorted((OBSERVE / "rules").glob("*.yaml"))
ON_CALL = ROOT / "docs" / "how-to" / "on-call.md"


@dataclass(frozen=True, slots=True)
class Rule:
    """``alert`` or ``record``: its name; the other is empty."""

    alert: str
    record: str
    expression: str
    pending: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def metrics(self) -> set[str]:
        """Of ours, as they are exported."""
        return set(re.findall(r"\bstockwire_\w+", self.expression))

    @property
    def recorded(self) -> set[str]:
        """What other rules have to record for it."""
        return set(re.findall(r"\bstockwire:\w+(?::\w+)?", self.expression))


@cache
def rules() -> tuple[Rule, ...]:
    return tuple(_rules(RULES))


def alerts() -> dict[str, Rule]:
    return {rule.alert: rule for rule in rules() if rule.alert}


def _rules(files: list[Path]) -> Iterator[Rule]:
    for file in files:
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield _rule(rule)


def _rule(given: dict[str, Any]) -> Rule:
    return Rule(
        given.get("alert", ""),
        given.get("record", ""),
        given["expr"],
        given.get("for", "0s"),
        given.get("labels", {}),
        given.get("annotations", {}),
    )
