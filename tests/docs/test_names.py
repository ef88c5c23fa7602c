"""Everything that a page names exists: links, files, commands, options, settings, metrics, routes, decisions."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from stockwire.cli.program import program
from tests.docs.pages import anchors_of, code_in, links_in, pages, text_of
from tests.harness.openapi import document
from tests.harness.source import PACKAGES, REFERENCE, ROOT, code_names, rows
from tests.harness.waiting import PATIENCE_S
from tests.load.test_options import launch_options

PAGES = pages()
PROSE = [page for page in PAGES if page.is_relative_to(ROOT / "docs") or page.parent == ROOT]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
FOLDERS = ("wire", "server", "ledger", "hub", "console", "cli", "client-sdk", "tests", "docs")
CODE_SUFFIXES = {".py", ".sql", ".yaml", ".yml", ".html", ".js", ".toml", ".sh", ".mako"}
PROCESS_ROUTES = {"/healthz", "/readyz", "/metrics", "/drain", "/undrain", "/docs", "/openapi.json", "/v1/stream"}
FOREIGN_OPTIONS = {
    *("--pgdata", "--checkpoint", "--wal-method", "--dbname", "--rounds", "--row", "--json"),
    *("--before", "--before-rounds", "--changes-per-s", "--write", "--seed", "--seeds"),
    *("--processes", "--html", "--master", "--worker", "--master-host", "--expect-workers"),
    *("--build", "--detach", "--no-deps", "--rm", "--stop-timeout", "--volumes", "--wait"),
    *("--namespace", "--values", "--from-file", "--strict", "--set", "--require-hashes"),
    *launch_options(),
    *("--kills", "--reverse", "--format", "--line-buffered", "--unshallow", "--pack-destination"),
    *("--retry", "--retry-connrefused", "--python", "--control-port"),
    *("--bootstrap-server", "--topic", "--from-beginning", "--isolation-level", "--property", "--add", "--cluster"),
    *("--allow-principal", "--operation", "--resource-pattern-type", "--transactional-id", "--group"),
    *("--retry-all-errors", "--retry-delay", "--fail", "--silent", "--max-bytes", "--max-age", "--replicas"),
    "--apply-to",
}
"""Of pg_basebackup, docker, helm, kubectl, git, npm, grep, curl, locust, brokers, the simulation, `make`'s programs."""
OUR_PAGE = re.compile(
    r"\bdocs/(?:decisions|explanation|how-to|reference|operations|design|benchmarks|tutorial)[\w./-]*"
)

page_by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
prose_by_page = pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))


@page_by_page
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links_in(page):
        path, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (page.parent / path).resolve() if path else page
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert not broken


@prose_by_page
def test_every_file_named_exists(page: Path) -> None:
    named = {
        name for code in code_in(page) for name in re.findall(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)})/[\w./-]*", code)
    }
    assert not [name for name in named if not (ROOT / name).exists()]


@prose_by_page
def test_every_command_and_option_exists(page: Path) -> None:
    root = get_command(program())
    wrong = []
    for code in code_in(page):
        meant: list[object] = []
        for words in re.findall(r"(?:^|[\s;|(/])stockwire ((?:[a-z][a-z-]* ?)+)", code):
            command, rest = command_of(root, words.split())
            meant.append(command)
            if command is root or (rest and hasattr(command, "commands")):
                wrong.append(code)
        known = set.union(*(options_of(command) for command in meant or [root])) | FOREIGN_OPTIONS
        wrong += sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", code)) - known)
    assert not wrong


def command_of(command: Any, words: list[str]) -> tuple[Any, list[str]]:
    """The command that these words begin with, and the words behind it."""
    children = getattr(command, "commands", {})
    return command_of(children[words[0]], words[1:]) if words and words[0] in children else (command, words)


def options_of(command: object) -> set[str]:
    """Of a command and all below it."""
    own = {name for parameter in getattr(command, "params", ()) for name in parameter.opts} | {"--help"}
    return own.union(*(options_of(child) for child in getattr(command, "commands", {}).values()))


@prose_by_page
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^(\S+?):", (ROOT / "Makefile").read_text(), re.MULTILINE)) | {".venv/.installed"}
    named = {name for code in code_in(page) for name in re.findall(r"(?:^|[\s`])make ([a-z.][\w./-]*)", code)}
    assert named <= targets


@prose_by_page
def test_every_setting_exists(page: Path) -> None:
    known = {name for row in rows((REFERENCE / "settings.md").read_text(), "Setting") for name in code_names(row[0])}
    named = set(re.findall(r"\bSTOCKWIRE_[A-Z0-9_]*[A-Z0-9]\b(?![*_])", text_of(page)))
    assert named <= known


@prose_by_page
def test_every_metric_exists(page: Path) -> None:
    known: set[str] = set()
    for names, type_, *_ in rows((REFERENCE / "metrics.md").read_text(), "Metric"):
        series = ("", "_bucket", "_sum", "_count") if type_ == "histogram" else ("",)
        known |= {name + one for name in code_names(names) for one in series}
    assert set(re.findall(r"\bstockwire_(?:ledger|hub|console|channels)_\w+", text_of(page))) <= known


@prose_by_page
def test_every_route_exists(page: Path) -> None:
    described = PROCESS_ROUTES.union(
        *(document(name).content["paths"] for name in ("openapi.yaml", "hub-openapi.yaml", "channels-openapi.yaml"))
    )
    named: set[str] = set()
    route = re.compile(r"(?<![\w.:])(/v1/[\w{}/-]+(?:\.js)?|/healthz|/readyz|/metrics|/drain|/openapi\.json)")
    for code in code_in(page):
        named |= set(route.findall(code))
    known = re.compile("|".join(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) for path in described))
    assert not [name for name in named if not known.fullmatch(name)]


@pytest.mark.usefixtures("processes")
def test_every_page_that_the_code_names_exists() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    files = [ROOT / name for name in tracked.stdout.splitlines() if Path(name).suffix in CODE_SUFFIXES]
    files = files or [path for folder in PACKAGES.values() for path in folder.rglob("*.py")]
    missing = []
    for path in files:
        if path.exists() and path != Path(__file__):
            for name in OUR_PAGE.findall(path.read_text()):
                if not (ROOT / name.rstrip(".")).exists():
                    missing.append(f"{path.relative_to(ROOT)}: {name}")
    assert not missing


def test_decisions_are_numbered_whole_and_listed() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    listed = links_in(ROOT / "docs" / "README.md")
    for page in DECISIONS:
        headings = re.findall(r"^## (.+)$", text_of(page), re.MULTILINE)
        assert headings[:3] == ["Context", "Choice", "What it costs"], page.name
        assert f"decisions/{page.name}" in listed, page.name
