"""The shape of the house: who may import whom, names that say something, functions that fit on a screen."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.processes import clean_environment
from tests.harness.source import (
    CLIENT,
    PACKAGES,
    ROOT,
    SOURCES,
    TESTS,
    functions_of,
    imports_of,
    module_level_calls,
    module_name,
    package_of,
)
from tests.harness.waiting import PATIENCE_S

MAY_IMPORT: dict[str, set[str]] = {
    "wire": set(),
    "server": {"wire"},
    "ledger": {"wire", "server"},
    "hub": {"wire", "server"},
    "console": {"wire", "server", "stockwire"},
    "followers": {"wire", "server", "stockwire"},
    "cli": {"wire", "server", "ledger", "hub", "stockwire"},
    "stockwire": set(),
}
"""Of our own packages. cli may read the hub's settings but nothing else of it: it starts hubs as processes."""
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "service", "services"}
OPENS = {"open", "print", "create_engine", "create_async_engine", "connect", "run", "Popen", "from_url", "create_app"}
OPENS_SUFFIXES = ("Client", "Engine", "Redis", "Server", "Session")
READS = ("os.environ", "os.getenv", "sys.stdout", "sys.argv")
FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
TOP_LEVEL = {
    *("wire", "server", "ledger", "hub", "cli", "client-sdk", "console", "followers", "tests", "docs", "deploy"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "SECURITY.md", "Makefile", "Dockerfile"),
    *("pyproject.toml", "requirements.in", "requirements.txt", "requirements-test.in", "requirements-test.txt"),
    *("requirements-tracing.in", "requirements-tracing.txt", "requirements-streams.in", "requirements-streams.txt"),
    *(
        "locustfile.py",
        "compose.yaml",
        ".gitignore",
        ".gitattributes",
        ".git-blame-ignore-revs",
        ".dockerignore",
        ".ci",
        ".github",
        ".npmrc",
    ),
}


def test_a_module_imports_only_what_its_package_may() -> None:
    assert not [
        f"{path.relative_to(ROOT)} imports {imported}"
        for path in SOURCES
        for imported in imports_of(path)
        if is_forbidden(package_of(path), imported)
    ]


@pytest.mark.parametrize(
    ("package", "imported"),
    [
        *(("wire", "server.problems"), ("server", "ledger.errors"), ("server", "hub.errors"), ("hub", "ledger.errors")),
        *(("console", "ledger.errors"), ("console", "hub.settings"), ("console", "cli.doctor")),
        *(("followers", "ledger.errors"), ("followers", "hub.settings"), ("ledger", "followers.settings")),
        *(
            ("ledger", "hub.errors"),
            ("cli", "hub.process"),
            ("stockwire", "wire.names"),
            ("server", "tests.harness.waiting"),
        ),
    ],
)
def test_a_planted_import_of_what_a_package_may_not_know_is_found(package: str, imported: str) -> None:
    assert is_forbidden(package, imported)


def is_forbidden(package: str, imported: str) -> bool:
    """``imported``: as ``imports_of`` says it, which counts what is imported for types alone."""
    top = imported.split(".")[0]
    foreign = top in PACKAGES and top != package and top not in MAY_IMPORT[package]
    inside_hub = (
        package == "cli" and top == "hub" and imported != "hub" and not f"{imported}.".startswith("hub.settings.")
    )
    return foreign or inside_hub or top == "tests"


def test_a_name_says_what_is_inside() -> None:
    assert not [
        path
        for path in (*SOURCES, *TESTS)
        if {part.removesuffix(".py").strip("_") for part in path.relative_to(ROOT).parts} & SAYS_NOTHING
    ]


def test_functions_and_files_are_short_enough_to_read() -> None:
    long = []
    for path in (*SOURCES, *TESTS):
        if (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX:
            long.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for function in functions_of(path):
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                long.append(f"{path.relative_to(ROOT)}: {function.name} has {lines} lines")
    assert not long


def test_no_work_is_left_for_later_in_a_comment() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert not [path for path in (*SOURCES, *TESTS) if path != Path(__file__) and marks.search(path.read_text())]


def test_a_module_opens_nothing_when_it_is_imported() -> None:
    """Only definitions at module level: no call that opens, connects, starts or reads settings."""
    wrong = []
    for path in SOURCES:
        if path.name not in ("__main__.py", "env.py"):
            for call in module_level_calls(path):
                name = ast.unparse(call.func)
                if name.rsplit(".", 1)[-1] in OPENS or name.endswith(OPENS_SUFFIXES) or name.startswith(READS):
                    wrong.append(f"{path.relative_to(ROOT)}:{call.lineno} calls {name}")
    assert not wrong


@pytest.mark.usefixtures("processes")
def test_importing_everything_prints_nothing_starts_nothing_and_reads_no_setting() -> None:
    """In a process of its own: no thread, child, open socket or event loop is there afterwards, and no warning came."""
    names = [module_name(path) for path in SOURCES if path.name not in ("__main__.py", "env.py") and importable(path)]
    program = f"""
import importlib, os, threading
before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
for name in {names!r}:
    importlib.import_module(name)
assert threading.active_count() == 1, threading.enumerate()
after = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
sockets = [n for n in after - before if os.path.exists(p := f"/proc/self/fd/{{n}}") and "socket" in os.readlink(p)]
assert not sockets, sockets
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        cwd=ROOT,
        env=clean_environment({"PYTHONPATH": f"{ROOT}:{CLIENT}"}),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stderr


@pytest.mark.usefixtures("processes")
def test_only_known_entries_stand_at_the_top() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    if tracked.returncode:
        pytest.skip("no git here: an unpacked archive")
    assert {line.split("/")[0].strip('"') for line in tracked.stdout.splitlines()} <= TOP_LEVEL


def importable(path: Path) -> bool:
    """Migrations run inside Alembic only, and the watchdog is a program."""
    return "versions" not in path.parts and path.name != "watchdog.py"
