"""What people build on stands in docs/reference, and nothing else does: settings, problems, metrics, options."""

import re
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ledger import errors
from ledger.settings import read_settings as read_ledger_settings
from tests.api_keys import TOKEN_SECRET
from tests.source import REFERENCE, SOURCES, code_names, rows, section, strings_of
from tests.system import System
from wire.environment import Environment
from wire.problems import PROBLEMS

SETTING = re.compile(r"STOCKWIRE_[A-Z][A-Z0-9_]*[A-Z0-9]\Z")
LEVEL = {"sku": "A", "location": "berlin", "version": 3}
RAISED: list[errors.LedgerError] = [
    errors.Invalid("sku", "is missing"),
    errors.Unauthorized("no key"),
    errors.Forbidden("admin"),
    errors.NotFound("sku", "A"),
    errors.InsufficientStock("A", "berlin", 1, 2),
    errors.VersionConflict(2, LEVEL),
    errors.BelowReserved("A", "berlin", 1, 2),
    errors.IdempotencyMismatch("used before"),
    errors.TooLarge(262144),
    errors.IdempotencyInFlight("elsewhere"),
    errors.RateLimited("too many"),
    errors.Overloaded("too much"),
    errors.OutcomeUnknown("lost"),
    errors.Unavailable("away"),
]


def page(name: str) -> str:
    return (REFERENCE / name).read_text()


def test_the_problem_types_are_those_of_the_wire() -> None:
    described = {code_names(row[0])[0]: (int(row[1]), row[2]) for row in rows(page("problems.md"), "Type")}
    assert described == PROBLEMS


def test_the_members_of_a_problem_are_those_that_it_carries() -> None:
    described = {code_names(row[0])[0]: code_names(row[3]) for row in rows(page("problems.md"), "Type")}
    assert described == {error.type: list(error.numbers) for error in RAISED}
    assert {error.type for error in RAISED} == set(PROBLEMS)


def test_every_setting_that_the_code_names_is_described_and_the_reverse() -> None:
    described = {name for row in rows(page("settings.md"), "Setting") for name in code_names(row[0])}
    named = {text for path in SOURCES for text in strings_of(path) if SETTING.match(text)}
    assert named - described == set(), "not described"
    assert described - named == set(), "described, but nothing reads it"


def test_the_defaults_and_bounds_of_the_ledgers_settings_are_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    read = recorded(monkeypatch)
    read_ledger_settings(
        {
            "STOCKWIRE_DATABASE_URL": "postgresql://localhost/stockwire",
            "STOCKWIRE_REDIS_URL": "redis://localhost",
            "STOCKWIRE_TOKEN_SECRET": TOKEN_SECRET,
        }
    )
    check_described(read)


def recorded(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    """Fills with default and bounds of every number that is read from now on."""
    read: dict[str, tuple[str, str]] = {}

    def recording(method: Any) -> Any:
        def wrapped(self: Environment, name: str, default: float, *, low: float, high: float) -> Any:
            read[name] = (f"{default:g}" if default < 1e5 else f"{default:.0f}", f"{low:.0f} to {high:.0f}")
            return method(self, name, default, low=low, high=high)

        return wrapped

    for name in ("integer", "number"):
        monkeypatch.setattr(Environment, name, recording(getattr(Environment, name)))
    return read


def check_described(read: dict[str, tuple[str, str]]) -> None:
    described = {name: (row[1], row[2]) for row in rows(page("settings.md"), "Setting") for name in code_names(row[0])}
    assert read
    assert {name: described.get(name) for name in read} == read


async def test_the_metrics_are_those_that_the_processes_export(shared_system: System) -> None:
    text = page("metrics.md")
    for title, process in (("Ledger", shared_system.ledgers[0]), ("Hub", shared_system.hubs[0])):
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"{process.admin}/metrics", timeout=10)
        exported = {
            family.name + ("_total" if family.type == "counter" else ""): family.type
            for family in text_string_to_metric_families(answer.text)
            if family.name.startswith("stockwire_")
        }
        described = {code_names(row[0])[0]: row[1] for row in rows(section(text, title), "Metric")}
        assert described == exported
