"""One tree of errors in two languages: what a ledger answers is the same class with the same numbers in both."""

import json
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from stockwire import errors
from stockwire.answer import Answer, error_of
from stockwire.level import LevelNumbers
from tests.harness.node import NODE, PACKAGE, run_node
from tests.harness.source import REFERENCE, code_names, rows
from tests.harness.waiting import PATIENCE_S
from wire.problems import PROBLEMS

pytestmark = pytest.mark.usefixtures("processes")

PROGRAM = Path(__file__).with_name("errors_program.mjs")
LEVEL = {"sku": "A", "location": "berlin", "version": 7, "on_hand": 10, "reserved": 2, "available": 8}
NUMBERS = frozenset(
    {"requested", "available", "allowed", "held", "on_hand", "reserved", "quantity", "possible", "expected_version"}
    | {"bytes_max", "retry_after_s"}
)
OTHERS: Mapping[str, object] = {"level": LEVEL, "locations": {"berlin": 1}, "expires_at": "2026-11-22T10:00:00.123456Z"}
LATER_STATUSES = (400, 401, 403, 404, 409, 412, 413, 418, 422, 429, 500, 502, 503, 504)


def members_of() -> dict[str, list[str]]:
    """By problem type, as docs/reference/problems.md names them."""
    page = (REFERENCE / "problems.md").read_text()
    return {code_names(row[0])[0]: code_names(row[3]) for row in rows(page, "Type")}


def value_of(member: str) -> object:
    return OTHERS.get(member, 3 if member in NUMBERS else f"a {member}")


def answers() -> list[tuple[int, bytes, str | None]]:
    """Every type whole, without each of its members, with each of them wrong; types and answers that nobody knows."""
    found: list[tuple[int, Any, str | None]] = []
    for kind, members in members_of().items():
        whole = {"type": kind, "title": "title", "detail": "why", **{name: value_of(name) for name in members}}
        found.append((PROBLEMS[kind][0], whole, None))
        for name in members:
            found.append((PROBLEMS[kind][0], {key: value for key, value in whole.items() if key != name}, None))
            found.append((PROBLEMS[kind][0], {**whole, name: "soon" if name in NUMBERS else 7}, None))
    unknown = {"type": "of-a-later-ledger", "title": "later", "field": "f", "value": "v", "reason": "r"}
    for status in LATER_STATUSES:
        found += [
            (status, unknown, None),
            (status, {}, "7"),
            (status, [], None),
            (status, "no object", "Mon, 1 Dec 2026"),
        ]
    for header in ("0", "1.5", "-1", "nan", "inf", "soon", ""):
        found.append((429, {"type": "rate-limited", "retry_after_s": 9}, header))
    return [(status, json.dumps(document).encode(), header) for status, document, header in found]


def said_by_python(status: int, body: bytes, header: str | None) -> dict[str, object]:
    error = error_of(Answer(status, {} if header is None else {"retry-after": header}, body))
    return {"name": type(error).__name__, **{name: plain(value) for name, value in vars(error).items()}}


def plain(value: object) -> object:
    if isinstance(value, LevelNumbers):
        return {name: getattr(value, name) for name in LEVEL}
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def without_nothing(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value not in (None, {})}


def test_every_answer_is_the_same_error_as_in_python() -> None:
    asked = answers()
    lines = [json.dumps({"status": one[0], "body": one[1].decode(), "retryAfter": one[2]}) for one in asked]
    done = subprocess.run(
        [NODE, str(PROGRAM)], input="\n".join(lines), capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(asked)
    differing = [
        (answer, without_nothing(found), expected)
        for answer, found in zip(asked, told, strict=True)
        if without_nothing(found) != (expected := without_nothing(said_by_python(*answer)))
        if not both_unreadable(found, expected)
    ]
    assert not differing
    names = {str(found["name"]) for found in told}
    assert len(names) > 20, names


def both_unreadable(found: dict[str, object], expected: dict[str, object]) -> bool:
    return found["name"] == expected["name"] == "UnexpectedAnswer"


def test_both_clients_have_the_same_classes_below_the_same() -> None:
    program = """
      const all = await import(process.argv[1]);
      const tree = Object.entries(all).filter(([, made]) => made.prototype instanceof Error);
      console.log(JSON.stringify(tree.map(([name, made]) => [name, Object.getPrototypeOf(made).prototype.name])));
    """
    tree = dict(json.loads(run_node("--input-type=module", "-e", program, PACKAGE / "src" / "index.js")))
    python = {
        name: made.__base__.__name__
        for name, made in vars(errors).items()
        if isinstance(made, type) and issubclass(made, errors.StockwireError) and made.__base__ is not None
    }
    assert tree == {**python, "StockwireError": "Error"}
