"""What is counted is looked at: by a rule, by a dashboard, or it is said why by neither."""

import json
from collections import Counter

import yaml

from tests.deploy.observe.rules import OBSERVE, rules
from tests.deploy.promql import exported, metrics_in
from tests.harness.dashboards import asked, queries_of

PARTS = ("_bucket", "_sum", "_count")


def test_every_metric_is_used_or_listed_as_unused_with_its_reason() -> None:
    listed = yaml.safe_load((OBSERVE / "unused.yaml").read_text())
    assert all(entry["reason"].endswith(".") for entry in listed)
    unused = Counter(name for entry in listed for name in entry["metrics"])
    assert not [name for name, times in unused.items() if times > 1]
    used = {whole(name) for name in asked_for()}
    known = {whole(name) for name in exported()}
    assert known - used == set(unused)


def asked_for() -> set[str]:
    boards = [json.loads(path.read_text()) for path in (OBSERVE / "dashboards").glob("*.json")]
    of_boards = [metrics_in(asked(query.expression)) for board in boards for query in queries_of(board)]
    return set().union(*of_boards, *(metrics_in(rule.expression) for rule in rules()))


def whole(name: str) -> str:
    """Of one of a histogram's three series, the histogram."""
    for part in PARTS:
        base = name.removesuffix(part)
        if base != name and all(f"{base}{other}" in exported() for other in PARTS):
            return base
    return name
