"""The Dockerfile says what it should; tests/deploy/test_image.py runs what it makes."""

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli import health
from tests.deploy.dockerfile import (
    DOCKERFILE,
    all_of,
    copied_sources,
    copy_context,
    environment,
    health_command,
    health_option,
    is_ignored,
    only,
    removed_packages,
)
from tests.harness.source import PACKAGES, ROOT
from tests.harness.waiting import PATIENCE_S

DIGEST_OR_VERSION = re.compile(r"[\w./-]+(:\d+\.\d+-[a-z-]+|@sha256:[0-9a-f]{64})( AS \w+)?")
ROUTES_AT_RUN_TIME = {"wire/openapi.yaml", "ledger/http/routes/docs.html", "ledger/commit/sql/commit.sql"}


@pytest.mark.usefixtures("processes")
def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_both_stages_stand_on_one_pinned_base() -> None:
    """A virtual environment points to the interpreter that made it."""
    bases = all_of("FROM")
    assert all(DIGEST_OR_VERSION.fullmatch(base) for base in bases)
    assert len({base.split()[0] for base in bases}) == 1
    python = re.search(r"python:(\d+\.\d+)", bases[0])
    assert python
    assert f"/usr/local/lib/python{python[1]}/ensurepip" in all_of("RUN")[-1]


def test_only_locked_wheels_are_installed() -> None:
    installing = [run for run in all_of("RUN") if " install " in run and "pip" in run and "install -d" not in run]
    assert "--require-hashes --only-binary=:all: -r requirements.txt -r requirements-tracing.txt" in installing[0]
    assert all("--no-deps --no-build-isolation" in run for run in installing[1:])
    assert not [run for run in all_of("RUN") if "apt" in run]


def test_every_copied_source_exists_and_enters_the_build(tmp_path: Path) -> None:
    assert not [source for source in copied_sources() if not (ROOT / source).exists()]
    copy_context(tmp_path)
    assert not [source for source in copied_sources() if not (tmp_path / source).exists()]


def test_nothing_but_what_runs_enters_the_build(tmp_path: Path) -> None:
    copy_context(tmp_path)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files >= ROUTES_AT_RUN_TIME
    assert {Path(name).parts[0] for name in files} == {*PACKAGES, *copied_tops()} - {"stockwire"}
    assert not [name for name in files if name.endswith((".pyc", ".gz", ".env")) or "tests/" in name]
    kept_out = (".env", ".git/config", "deploy/.env", ".stockwire/run.json", ".venv/pyvenv.cfg", "tests/conftest.py")
    assert not [name for name in kept_out if not is_ignored(Path(name))]


def copied_tops() -> set[str]:
    return {source.split("/")[0] for source in copied_sources()}


def test_what_is_removed_was_installed() -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert removed_packages() <= locked
    for name in removed_packages():
        importlib.metadata.distribution(name)


def test_the_process_is_nobody_in_particular_and_gets_the_signal() -> None:
    user, group = only("USER").split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert only("STOPSIGNAL") == "SIGTERM"
    assert json.loads(only("ENTRYPOINT")) == ["stockwire"]
    assert isinstance(json.loads(only("CMD")), list)


def test_the_health_check_is_a_program_that_gives_up_in_time() -> None:
    assert health_command()[1:] == ["-m", health.__name__]
    assert health_option("timeout") > health.TIMEOUT_S
    assert health_option("interval") > health_option("timeout")


def test_the_health_check_asks_where_the_settings_say() -> None:
    assert health.admin_addresses(environment(Path("/"))) == [
        *(("127.0.0.1", 8081), ("127.0.0.1", 8092), ("127.0.0.1", 8083)),
    ]
    moved = {"STOCKWIRE_LEDGER_ADMIN_HOST": "0.0.0.0", "STOCKWIRE_LEDGER_ADMIN_PORT": "9000"}
    assert health.admin_addresses({**moved, "STOCKWIRE_HUB_ADMIN_HOST": "::"})[:2] == [
        ("127.0.0.1", 9000),
        ("::1", 8092),
    ]
    assert health.admin_addresses({"STOCKWIRE_HUB_ADMIN_HOST": "10.0.0.5"})[1] == ("10.0.0.5", 8092)


def test_the_ports_are_those_that_the_settings_default_to() -> None:
    settings = (ROOT / "docs" / "reference" / "settings.md").read_text()
    defaults = re.findall(r"`STOCKWIRE_(?:LEDGER|HUB|CONSOLE)_(?:ADMIN_|STREAM_|READ_)?PORT` \| (\d+)", settings)
    assert sorted(only("EXPOSE").split()) == sorted(defaults)
