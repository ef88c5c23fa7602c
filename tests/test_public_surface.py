"""What people build on stands in docs/reference, and nothing else does: settings, problems, metrics, options."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from typer.main import get_command

from cli.ports import Ports
from console.settings import read_settings as read_console_settings
from followers.exporter.settings import read_settings as read_exporter_settings
from followers.intake.settings import read_settings as read_intake_settings
from followers.relay.settings import read_settings as read_relay_settings
from followers.sealing import new_sealing_key
from followers.settings import read_settings as read_channels_settings
from hub.__main__ import WORKERS_MAX
from hub.errors import Crowded
from hub.settings import read_settings as read_hub_settings
from ledger import errors
from ledger.settings import read_settings as read_ledger_settings
from server import problems
from server.settings.environment import Environment
from stockwire.cli.program import program
from tests.harness.api_keys import TOKEN_SECRET
from tests.harness.metrics import described_metrics, exported_metrics
from tests.harness.source import REFERENCE, SOURCES, calls_of, code_names, rows, section, strings_in, strings_of
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S
from wire.problems import PROBLEMS

SETTING = re.compile(r"(?:STOCKWIRE|OTEL)_[A-Z][A-Z0-9_]*[A-Z0-9]\Z")
LEVEL = {"sku": "A", "location": "berlin", "version": 3}
RAISED: list[problems.Problem] = [
    problems.Invalid("sku", "is missing"),
    problems.Unauthorized("no key"),
    problems.Forbidden("admin"),
    problems.NotFound("sku", "A"),
    errors.InsufficientStock("A", "berlin", 1, 2, {"berlin": 1, "hamburg": 0}),
    errors.VersionConflict(2, LEVEL),
    errors.BelowReserved("A", "berlin", 1, 2),
    errors.ReservationState("r", "pending", "fulfil", "why", sku="A", location="berlin", quantity=2, possible=1),
    errors.ReservationExpired("r", "then", sku="A", location="berlin", available=1, requested=2),
    errors.ReservationLimit("customer_units", 2, 1, 2, customer="c", owner="o", sku="A", location="berlin"),
    errors.TransferState("t", "in_transit", "receive", "why", sku="A", quantity=2, possible=1),
    errors.IdempotencyMismatch("used before"),
    problems.TooLarge(262144),
    problems.UnsupportedEncoding("Content-Encoding", "gzip"),
    problems.Misdirected("other.example"),
    errors.NotConfigured("STOCKWIRE_X", "this is not done"),
    errors.IdempotencyInFlight("elsewhere"),
    problems.RateLimited("shop", 1, 20, 2),
    Crowded("owner", 10_000),
    problems.Overloaded("too much"),
    errors.OutcomeUnknown("lost"),
    problems.Unavailable("away"),
]


def page(name: str) -> str:
    return (REFERENCE / name).read_text()


def test_the_problem_types_are_those_of_the_wire() -> None:
    described = {code_names(row[0])[0]: (int(row[1]), row[2]) for row in rows(page("problems.md"), "Type")}
    assert described == PROBLEMS


def test_no_two_listen_on_one_port_where_nobody_says_otherwise() -> None:
    described = [port for row in rows(page("settings.md"), "Port") for port in ports_in(row[0])]
    assert len(set(described)) == len(described)
    defaults = {row[0]: row[1] for row in rows(page("settings.md"), "Setting") if row[0].endswith("_PORT`")}
    assert len(set(defaults.values())) == len(defaults)
    first = int(defaults["`STOCKWIRE_HUB_ADMIN_PORT`"])
    up = Ports.from_base(int(defaults["`STOCKWIRE_LEDGER_PORT`"]), 1)
    listens = up.named(console=True, channels=True, observe=True, stream=True)
    workers = range(first, first + WORKERS_MAX)
    assert set(described) == {int(port) for port in defaults.values()} | set(listens.values()) | set(workers)


def ports_in(cell: str) -> list[int]:
    """Of ``1, 2`` or ``1 to 9``."""
    ports = [int(port) for port in re.findall(r"\d+", cell)]
    return [*range(ports[0], ports[-1] + 1)] if " to " in cell else ports


def test_the_members_of_a_problem_are_those_that_it_carries() -> None:
    described = {code_names(row[0])[0]: code_names(row[3]) for row in rows(page("problems.md"), "Type")}
    carried = {error.type: list(error.numbers) for error in RAISED}
    assert described == carried
    assert set(carried) == set(PROBLEMS)


def test_every_setting_that_the_code_names_is_described_and_the_reverse() -> None:
    described = {name for row in rows(page("settings.md"), "Setting") for name in code_names(row[0])}
    named = {text for path in SOURCES for text in strings_of(path) if SETTING.match(text)}
    for path in SOURCES:
        named |= {
            f"{name}_FILE"
            for reader in ("secret", "secret_url")
            for call in calls_of(path, reader)
            for name in strings_in(call)
            if SETTING.match(name)
        }
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


def test_the_defaults_and_bounds_of_the_hubs_settings_are_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    read = recorded(monkeypatch)
    read_hub_settings(
        {
            "STOCKWIRE_LEDGER_URLS": "http://localhost",
            "STOCKWIRE_HUB_KEY": "sw_key",
            "STOCKWIRE_REDIS_URL": "redis://localhost",
            "STOCKWIRE_TOKEN_SECRET": TOKEN_SECRET,
        }
    )
    check_described(read)


def test_the_defaults_and_bounds_of_the_consoles_settings_are_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    read = recorded(monkeypatch)
    read_console_settings({"STOCKWIRE_URL": "http://localhost", "STOCKWIRE_CONSOLE_KEY": "sw_key"})
    check_described(read)


def test_the_defaults_and_bounds_of_the_channels_settings_are_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    read = recorded(monkeypatch)
    read_channels_settings(
        {
            "STOCKWIRE_URL": "http://localhost",
            "STOCKWIRE_CHANNELS_KEY": "sw_key",
            "STOCKWIRE_DATABASE_URL": "postgresql://localhost/stockwire",
            "STOCKWIRE_WEBHOOKS_SEALING_KEYS": new_sealing_key(),
        }
    )
    check_described(read)


def test_the_defaults_and_bounds_of_the_exporters_settings_are_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    read = recorded(monkeypatch)
    read_exporter_settings({"STOCKWIRE_URL": "http://localhost", "STOCKWIRE_EXPORTER_KEY": "sw_key"})
    check_described(read)


def test_the_defaults_and_bounds_of_the_intakes_settings_are_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    read = recorded(monkeypatch)
    read_intake_settings(
        {
            "STOCKWIRE_URL": "http://localhost",
            "STOCKWIRE_INTAKE_KEY": "sw_key",
            "STOCKWIRE_INTAKE_FROM": "kafka://localhost",
        }
    )
    check_described(read)


def test_the_defaults_and_bounds_of_the_relays_settings_are_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    read = recorded(monkeypatch)
    read_relay_settings(
        {
            "STOCKWIRE_URL": "http://localhost",
            "STOCKWIRE_RELAY_KEY": "sw_key",
            "STOCKWIRE_RELAY_TO": "kafka://localhost",
        }
    )
    check_described(read)


def recorded(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    """Fills with default and bounds of every number that is read from now on."""
    read: dict[str, tuple[str, str]] = {}

    def recording(method: Any) -> Any:
        def wrapped(self: Environment, name: str, default: float, *, low: float, high: float) -> Any:
            read[name] = (plain(default), f"{plain(low)} to {plain(high)}")
            return method(self, name, default, low=low, high=high)

        return wrapped

    for name in ("integer", "number"):
        monkeypatch.setattr(Environment, name, recording(getattr(Environment, name)))
    return read


def plain(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{number:g}"


def check_described(read: dict[str, tuple[str, str]]) -> None:
    described = {name: (row[1], row[2]) for row in rows(page("settings.md"), "Setting") for name in code_names(row[0])}
    assert read
    assert {name: described.get(name) for name in read} == read


def test_the_commands_and_their_options_are_those_of_the_program() -> None:
    text = page("command-line.md")
    offered = dict(commands("stockwire", get_command(program())))
    described = {
        title: {code_names(row[0])[0] for row in rows(section(text, f"`{title}`"), "Option")}
        for title in re.findall(r"^## `(stockwire .+)`$", text, re.MULTILINE)
    }
    assert described == offered


def commands(path: str, command: Any) -> Iterator[tuple[str, set[str]]]:
    """Every command that does something, with its options."""
    if inner := getattr(command, "commands", None):
        for name, child in inner.items():
            yield from commands(f"{path} {name}", child)
    else:
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        yield path, options - {"--help"}


async def test_the_metrics_are_those_that_the_processes_export(shared_system: System) -> None:
    """Those of channels: tests/followers/test_api.py; of the exporter: tests/followers/exporter/test_following.py."""
    for title, process in (("Ledger", shared_system.ledgers[0]), ("Hub", shared_system.hubs[0])):
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"{process.admin}/metrics", timeout=PATIENCE_S)
        assert described_metrics(title) == exported_metrics(answer.text)
