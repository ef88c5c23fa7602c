"""What people build on is still there: names of the version before, unless it said that they would go."""

import ast
import json
import re
from typing import Any

import pytest

import stockwire
from tests.harness.releases import CHANGELOG, file_of
from tests.harness.source import REFERENCE, ROOT, code_names, rows, section

VECTORS = "wire/vectors"
CONTRACTS = (
    "client-to-hub",
    "hub-to-client",
    "broker",
    "close-codes",
    "channels",
    "shards",
    "scopes",
    "names",
    "apply",
)
"""Of the golden vectors those that are never changed, only added to. What is refused or unknown may become known."""
GROWS = ("decoded", "encoded")
"""A new optional field is there after decoding, as null."""


def settings(text: str) -> set[str]:
    """Without those of the tests, which no installed system reads."""
    names = {name for row in rows(text, "Setting") for name in code_names(row[0])}
    return {name for name in names if not name.startswith("STOCKWIRE_REQUIRE_")}


def metrics(text: str) -> set[str]:
    """With what a query relies on: type, and each label."""
    found = set()
    for row in rows(text, "Metric"):
        name = code_names(row[0])[0]
        found |= {f"{name} {row[1]}", *(f"{name} {label}" for label in code_names(row[2]))}
    return found


def problems(text: str) -> set[str]:
    return {f"{code_names(row[0])[0]} {row[1]}" for row in rows(text, "Type")}


def options(text: str) -> set[str]:
    titles = re.findall(r"^## `(stockwire .+)`$", text, re.MULTILINE)
    named = {
        f"{title} {code_names(row[0])[0]}" for title in titles for row in rows(section(text, f"`{title}`"), "Option")
    }
    return {*titles, *named}


def deprecated(changelog: str) -> set[str]:
    """What any release up to this changelog said will go, by its own name."""
    return {
        name
        for text in re.findall(r"^### Deprecated\n(.*?)(?=^#|\Z)", changelog, re.S | re.M)
        for name in code_names(text)
    }


@pytest.mark.parametrize(
    ("page", "names"),
    [("settings.md", settings), ("metrics.md", metrics), ("problems.md", problems), ("command-line.md", options)],
    ids=["settings", "metrics", "problems", "options"],
)
def test_no_name_has_gone_without_a_release_that_said_so(page: str, names: Any, version_before: str) -> None:
    before = names(file_of(version_before, f"docs/reference/{page}"))
    assert len(before) > 10
    gone = before - names((REFERENCE / page).read_text())
    said = deprecated(file_of(version_before, CHANGELOG.name))
    assert not [name for name in gone if not set(name.split()) & said]


def test_no_export_of_the_client_has_gone_without_a_release_that_said_so(version_before: str) -> None:
    source = ast.parse(file_of(version_before, "client-sdk/python/src/stockwire/__init__.py"))
    (before,) = (
        ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    said = deprecated(file_of(version_before, "client-sdk/python/CHANGELOG.md"))
    assert len(before) > 40
    assert set(before) - set(stockwire.__all__) <= said


@pytest.mark.parametrize("name", CONTRACTS)
def test_no_golden_vector_has_changed(name: str, version_before: str) -> None:
    path = f"{VECTORS}/{name}.json"
    before = lists(file_of(version_before, path))
    now = lists((ROOT / path).read_text())
    assert before
    assert [one for one in before if one not in now] == []


def lists(text: str) -> list[dict[str, Any]]:
    """What is `invalid` may become valid."""
    found = {name: value for name, value in json.loads(text).items() if name != "invalid" and isinstance(value, list)}
    return [lasting(one) for value in found.values() for one in value if isinstance(one, dict)]


def lasting(vector: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in vector.items() if field not in GROWS}


def test_what_a_release_said_will_go_is_read_from_its_changelog() -> None:
    changelog = "## [1.1.0]\n### Deprecated\n- `STOCKWIRE_OLD`: say `STOCKWIRE_NEW`.\n### Fixed\n- `other`\n"
    assert deprecated(changelog) == {"STOCKWIRE_OLD", "STOCKWIRE_NEW"}
