"""`make up` on a fresh clone: one line while pip installs, its reasons and the fix when it fails, our status after."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.installing import EXIT_CONFIG, Progress
from tests.cli.job_terminal import JobTerminal
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

PROGRAM = ROOT / "cli" / "installing.py"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "ARGS"))}
"""Not those of a `make test` that we may be run by."""
PIP_SAYS = """Looking in links: /somewhere
Ignoring colorama: markers 'sys_platform == "win32"' don't match your environment
Collecting alembic==1.20.1 (from -r requirements.txt (line 3))
  Downloading alembic-1.20.1-py3-none-any.whl (270 kB)
Collecting anyio==4.16.0 (from -r requirements.txt (line 15))
  Using cached anyio-4.16.0-py3-none-any.whl (134 kB)
Requirement already satisfied: pip==26.0 in ./.venv (from -r requirements.txt (line 20))
Collecting anyio==4.16.0 (from -r requirements.txt (line 15))
Installing collected packages: anyio, alembic
Successfully installed alembic-1.20.1 anyio-4.16.0
"""


def test_the_line_counts_what_was_fetched_of_what_is_locked_for_this_machine() -> None:
    progress, shown = Progress(pins=5), []
    for line in PIP_SAYS.splitlines():
        progress.read(line)
        shown.append(progress.shown())
    assert list(dict.fromkeys(shown)) == [
        "looking",
        "1 of 4, alembic",
        "2 of 4, anyio",
        "3 of 4, pip",
        "3 of 4, anyio",
        "unpacking 3",
    ]


def test_where_there_is_no_terminal_it_is_one_line(tmp_path: Path) -> None:
    command: list[str | Path] = [
        sys.executable,
        "-I",
        PROGRAM,
        "everything",
        tmp_path / "log",
        sys.executable,
        "-c",
        f"print({PIP_SAYS!r})",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Installing everything (once)\n", "")
    assert "Successfully installed" in (tmp_path / "log").read_text()


def test_a_failure_shows_its_reason_and_the_fix(tmp_path: Path) -> None:
    locked = tmp_path / "locked.txt"
    locked.write_text("no-such-package==1.0 --hash=sha256:" + "0" * 64 + "\n")
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-index",
        "--dry-run",
        "--require-hashes",
        "-r",
        locked,
    ]
    log = tmp_path / "log"
    done = subprocess.run(
        [sys.executable, "-I", PROGRAM, "it", log, *pip],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == EXIT_CONFIG
    assert log.read_text().splitlines()[-1] in done.stderr
    assert done.stderr.splitlines()[-1].startswith("stockwire: the packages cannot be installed")
    assert str(log) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("log", ["/dev/full", "/nowhere/log"])
@pytest.mark.parametrize("status", [0, 1])
def test_a_log_that_cannot_be_written_holds_nothing_up(log: str, status: int) -> None:
    """The disk is full, which may be why pip failed: its last lines are shown all the same."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    says = f"for n in range(20_000): print('line', n)\nraise SystemExit({status})"
    done = subprocess.run(
        [sys.executable, "-I", PROGRAM, "it", log, sys.executable, "-c", says],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if not status:
        assert (done.returncode, done.stderr) == (0, "")
        return
    assert done.returncode == EXIT_CONFIG
    assert done.stderr.splitlines()[-2] == "line 19999"
    assert f"the rest is lost: {log} cannot be written, No " in done.stderr


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The Makefile in a folder whose name a shell would take apart, everything installed, `stockwire` a stand-in."""
    folder = tmp_path / "Läden & Söhne's"
    (folder / "client-sdk" / "python").mkdir(parents=True)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("requirements.txt", "pyproject.toml", "client-sdk/python/pyproject.toml", ".venv/bin/python"):
        (folder / name).touch()
    shutil.copy(ROOT / "Makefile", folder)
    (folder / ".venv" / ".place").write_text(f"{folder}\n")
    (folder / ".venv" / ".installed").touch()
    return folder


def stand_in(clone: Path, script: str) -> None:
    program = clone / ".venv" / "bin" / "stockwire"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def make_up(clone: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", "up", "ARGS=--port 0"],
        cwd=clone,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_what_is_installed_is_not_installed_again_whatever_the_folder_is_called(clone: Path) -> None:
    stand_in(clone, 'echo "$@"')
    done = make_up(clone)
    assert (done.returncode, done.stdout, done.stderr) == (0, "up --port 0\n", "")


def test_a_failure_keeps_its_number_in_the_line_of_make(clone: Path) -> None:
    """make ends with 2 whatever failed (docs/reference/command-line.md says so)."""
    stand_in(clone, "echo stockwire: the port is taken >&2; exit 78")
    done = make_up(clone)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "stockwire: the port is taken"
    assert done.stderr.splitlines()[1].endswith(" up] Error 78")
    assert len(done.stderr.splitlines()) == 2


def test_ctrl_c_is_no_error_of_make(clone: Path) -> None:
    stand_in(clone, "trap 'echo Stopped.; exit 0' INT; echo running; while :; do sleep 0.1; done")
    with JobTerminal(["make", "up"], ENVIRONMENT, clone) as terminal:
        terminal.expect("running")
        terminal.type("\x03")
        assert terminal.wait() in (-signal.SIGINT, 128 + signal.SIGINT)
        terminal.expect("Stopped.")
        assert "***" not in terminal.output
