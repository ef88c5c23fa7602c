"""What another user of the machine gets of a running `stockwire up`: no file, no socket, no secret from a process list.

As root only, in a folder that everybody may pass through, so that nothing but what we set keeps a stranger out.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from cli.data_folder import MARKER
from tests.cli.running import RunningUp
from tests.deploy.image import others_may_run_it
from tests.harness.other_user import BECOME, STRANGER, give_up
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

SECRET_FILES = ("up.key", "hub.key", "token.secret", "postgres.password")
TRIES = """
import json, os, socket, sys
def reads(path):
    with open(path, "rb") as file:
        file.read(1)
def connects(path):
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(path)
ways = {"list": os.listdir, "read": reads, "connect": connects, "write": lambda path: open(path, "ab").close()}
asked = json.load(sys.stdin)
done = []
for way, path in asked:
    try:
        ways[way](path)
        done.append([way, path])
    except PermissionError:
        pass
    except (FileNotFoundError, ProcessLookupError):
        # A process that has ended meanwhile is read by nobody, nor is a file that has got its real name
        if not path.startswith("/proc/") and not path.endswith(".new"):
            raise
shown = {}
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        shown[pid] = open(f"/proc/{pid}/cmdline", "rb").read().decode(errors="replace")
    except OSError:
        pass
json.dump({"user": os.getuid(), "groups": os.getgroups(), "done": done, "shown": shown}, sys.stdout)
"""


def python() -> str:
    """One that a stranger may run. Skips the test, or fails it where STOCKWIRE_REQUIRE_FAULTS says so."""
    found = sys.executable if others_may_run_it() else shutil.which("python3", path="/usr/bin:/usr/local/bin")
    missing = [
        what
        for what, there in {"root": os.geteuid() == 0, "setpriv": shutil.which("setpriv"), "Python": found}.items()
        if not there
    ]
    if missing or found is None:
        give_up(f"nobody can become another user here, for want of: {', '.join(missing)}")
    return found


def stranger(*asked: tuple[str, Path]) -> dict[str, Any]:
    """What of these another user could do, and the command lines that one sees."""
    tried = subprocess.run(
        [*BECOME, python(), "-I", "-c", TRIES],
        input=json.dumps([(way, str(path)) for way, path in asked]),
        capture_output=True,
        text=True,
        cwd="/",
        timeout=PATIENCE_S,
        check=False,
    )
    assert tried.returncode == 0, tried.stderr
    found: dict[str, Any] = json.loads(tried.stdout)
    assert (found["user"], found["groups"]) == (STRANGER, [])
    return found


@pytest.fixture(scope="module")
def open_up(server_folder: Path) -> Iterator[RunningUp]:
    """In a folder that everybody may enter, named by a path short enough for its sockets to stand there too."""
    python()
    folder = server_folder / "open"
    folder.mkdir()
    folder.chmod(0o755)
    running = RunningUp(folder, "--hubs", "1", "--no-console")
    try:
        yield running.start()
    finally:
        running.stop()


def kept(open_up: RunningUp) -> dict[Path, int]:
    """Everything but the marker, with its mode; what goes away meanwhile is left out."""
    modes = {}
    for folder, folders, files in os.walk(open_up.data):
        for name in {*folders, *files} - {MARKER}:
            with suppress(FileNotFoundError):
                path = Path(folder, name)
                modes[path] = path.lstat().st_mode
    return modes


def servers(open_up: RunningUp) -> dict[int, str]:
    """Names of PostgreSQL's and Valkey's processes by pid; some of them come and go."""
    names = {}
    for process in open_up.processes():
        with suppress(psutil.NoSuchProcess):
            names[process.pid] = process.name()
    return {pid: name for pid, name in names.items() if name in ("postgres", "valkey-server")}


def test_a_stranger_reads_and_writes_nothing_in_the_data_folder(open_up: RunningUp) -> None:
    marker = open_up.data / MARKER
    modes = kept(open_up)
    files = [path for path, mode in modes.items() if stat.S_ISREG(mode)]
    folders = [open_up.data, *(path for path, mode in modes.items() if stat.S_ISDIR(mode))]
    assert {*SECRET_FILES, "run.json", "environment"} <= {path.name for path in files}
    asked = [("list", path) for path in folders] + [(way, path) for path in files for way in ("read", "write")]
    assert stranger(("read", marker), *asked)["done"] == [["read", str(marker)]], "only the marker, which says nothing"


def test_a_stranger_reaches_no_socket_and_there_is_no_port(open_up: RunningUp) -> None:
    sockets = [path for path, mode in kept(open_up).items() if stat.S_ISSOCK(mode)]
    assert {path.name for path in sockets} == {".s.PGSQL.5432", "valkey.sock"}
    assert all(path.parent.stat().st_mode & 0o007 == 0 for path in sockets)
    assert stranger(*(("connect", path) for path in sockets))["done"] == []
    running = servers(open_up)
    assert {*running.values()} == {"postgres", "valkey-server"}
    assert [connection for connection in psutil.net_connections("inet") if connection.pid in running] == []


def test_no_secret_stands_in_a_process_list_nor_in_an_environment_that_others_read(open_up: RunningUp) -> None:
    secrets = {name: (open_up.data / name).read_text().strip() for name in SECRET_FILES}
    assert all(len(secret) >= 20 for secret in secrets.values())
    processes = open_up.processes()
    seen = stranger(*(("read", Path(f"/proc/{process.pid}/environ")) for process in processes))
    assert seen["done"] == []
    lines = [seen["shown"].get(str(process.pid), "") for process in processes]
    assert len([line for line in lines if line]) >= 5, "the stranger sees the processes"
    assert [name for name, secret in secrets.items() for line in lines if secret in line] == []


def test_ledger_hubs_and_page_listen_on_loopback_only(open_up: RunningUp) -> None:
    pids = {process.pid for process in open_up.processes()}
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("inet")
        if connection.laddr and connection.pid in pids and connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
