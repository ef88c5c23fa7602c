"""A command that takes a moment must not first import what it does not use: that took a second of CPU for each call.

Watched by the names of what is imported, since a time would be another one on every machine.
"""

import asyncio
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.cli.running import PROGRAM
from tests.client.blocking import open_till
from tests.harness.processes import clean_environment
from tests.harness.source import ROOT
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

HEAVY = {"rich", "pydantic", "asyncio", "websockets", "anyio._backends", "trio._core", "click", "pygments"}
SERVERS = {"sqlalchemy", "alembic", "asyncpg", "redis", "uvicorn", "starlette", "msgspec", "psutil"}
HTTP = {"httpx", "httpcore", "h11"}
STANDARD_LIBRARY = sysconfig.get_path("stdlib").lstrip("/")  # compiled by whoever installed Python
STREAMS = {
    "stockwire.frame",
    "stockwire.watched",
    "stockwire.kind",
    "stockwire.mailbox",
    "stockwire.session",
    "stockwire.stream",
    "stockwire.sync.inbox",
    "stockwire.sync.subscription",
    "stockwire.threshold",
    "stockwire.view",
}
EVERYTHING = STREAMS | {"stockwire.asyncio", "stockwire.cli.watching", "stockwire.importing", "openpyxl"}
NOT_FOR_ONE_CALL = HEAVY | SERVERS | EVERYTHING | {"cli", "importlib.metadata"}


def imported_by(*words: str, **variables: str) -> tuple[set[str], str]:
    """Every module, and what was printed."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", PROGRAM, *words],
        env=clean_environment(variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert len(names) > 50, done.stderr
    assert done.returncode == 0, done.stderr[-2000:]
    return names, done.stdout


def typed(words: str) -> dict[str, str]:
    """What a shell says that asks for completions of the last word."""
    cursor = str(len(words.split(" ")) - 1)
    return {"_STOCKWIRE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": cursor}


def of(names: set[str], packages: set[str]) -> set[str]:
    return {name for name in names if any(name == package or name.startswith(f"{package}.") for package in packages)}


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["stock", "--help"], ["stock", "sell", "--help"], ["channel", "--help"]]
)
def test_help_needs_neither_http_nor_any_server(words: list[str]) -> None:
    names, _ = imported_by(*words)
    assert of(names, HEAVY | SERVERS | HTTP | EVERYTHING) == set()


@pytest.mark.usefixtures("processes")
def test_a_verb_is_completed_without_asking_anybody() -> None:
    names, offered = imported_by(**typed("stockwire sto"))
    assert offered.split() == ["stock"]
    assert of(names, HEAVY | SERVERS | HTTP | EVERYTHING) == set()


@pytest.mark.usefixtures("processes")
def test_what_asks_once_needs_no_event_loop_no_tables_and_nothing_of_streams(
    shared_system: System, unique_name: str
) -> None:
    open_till(shared_system, unique_name).client.close()
    key = asyncio.run(shared_system.admin_key())
    settings = {"STOCKWIRE_URL": shared_system.ledger_url, "STOCKWIRE_API_KEY": key}
    for words in (["stock", "get"], ["stock", "receive"]):
        units = ["1"] if "receive" in words else []
        names, shown = imported_by(*words, unique_name, unique_name, *units, **settings)
        assert shown.startswith(f"{unique_name} at {unique_name}: ")
        assert of(names, NOT_FOR_ONE_CALL) == set()
    for words in (["items", "get"], ["locations", "get"]):
        names, shown = imported_by(*words, unique_name, "--json", **settings)
        assert unique_name in shown
        assert of(names, NOT_FOR_ONE_CALL) == set()
    names, offered = imported_by(**typed(f"stockwire stock get {unique_name[:-1]}"), **settings)
    assert unique_name in offered.split()
    assert of(names, NOT_FOR_ONE_CALL) == set()


@pytest.mark.usefixtures("processes")
def test_an_installation_leaves_nothing_for_a_call_to_compile(tmp_path: Path) -> None:
    """Where Python may not write bytecode, each call would do it again and cost twice as much."""
    recipe = re.search(r"^COMPILE := (.+?[^\\])$", (ROOT / "Makefile").read_text(), re.MULTILINE | re.DOTALL)
    assert recipe is not None
    said = {"PYTHONPYCACHEPREFIX": str(tmp_path), "STOCKWIRE_URL": "http://127.0.0.1", "STOCKWIRE_API_KEY": "\u20ac"}
    writing = {name: value for name, value in clean_environment(said).items() if name != "PYTHONDONTWRITEBYTECODE"}
    asked_not_to = {**writing, "PYTHONDONTWRITEBYTECODE": "1"}
    compiling = recipe[1].replace("$(VENV)", shlex.quote(sys.prefix))
    subprocess.run(compiling, shell=True, env=asked_not_to, cwd=ROOT, check=True, timeout=120)
    compiled = set(tmp_path.rglob("*.pyc"))
    for words, status in ((["key", "list", "--help"], 0), (["stock", "get", "A-100", "berlin"], 78)):
        done = subprocess.run([PROGRAM, *words], env=writing, timeout=PATIENCE_S, check=False, capture_output=True)
        assert done.returncode == status
    late = {str(path.relative_to(tmp_path)) for path in set(tmp_path.rglob("*.pyc")) - compiled}
    assert {path for path in late if not path.startswith(STANDARD_LIBRARY)} == set()
