"""What killed runs left below /tmp goes with the next run; nothing else in such a place is touched."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.launch import Watchdog
from cli.system_user import SystemUser
from cli.temporary_folder import TemporaryFolder, clear_leftovers, temporary_folder
from tests.harness.other_user import STRANGER, as_stranger, require_root
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

PARENT = """
import sys
from cli.launch import Watchdog
watchdog = Watchdog()
print(watchdog.temporary_folder(), watchdog.pid, flush=True)
sys.stdin.read()
watchdog.close()
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One of its own, open to everybody."""
    place = Path(tempfile.mkdtemp(prefix="stock-", dir="/tmp"))
    place.chmod(0o1777)
    monkeypatch.setenv("TMPDIR", str(place))
    yield place
    shutil.rmtree(place)


def left_behind(*, programs: bool = False) -> Path:
    """As a run leaves it that was killed with its watchdog."""
    folder = temporary_folder(programs=programs)
    os.close(folder.lock)
    return folder.path


def test_what_a_dead_run_left_is_cleared_whatever_it_holds(place: Path) -> None:
    kept = place / "kept"
    kept.mkdir()
    (kept / "file").touch()
    copied, sockets, empty = left_behind(programs=True), left_behind(), left_behind()
    (copied / "lib" / "deep").mkdir(parents=True)
    (copied / "lib" / "deep" / "library").touch(0o444)
    (copied / "link").symlink_to(kept)
    os.mkfifo(sockets / "socket")
    SystemUser.for_postgres().give(sockets, 0o770)
    clear_leftovers()
    assert not any(folder.exists() for folder in (copied, sockets, empty))
    assert (kept / "file").exists(), "a link is removed and not followed"


def test_the_folder_of_a_living_run_stays(place: Path) -> None:
    held = temporary_folder()
    (held.path / "file").touch()
    clear_leftovers()
    assert (held.path / "file").exists()
    os.close(held.lock)


def test_a_watchdog_holds_what_it_will_remove(place: Path) -> None:
    with Watchdog() as watchdog:
        folder = temporary_folder()
        watchdog.remove_at_end(folder.path)
        fcntl.flock(folder.lock, fcntl.LOCK_UN)
        deadline = time.monotonic() + PATIENCE_S
        while not is_held(folder):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        clear_leftovers()
        assert folder.path.exists()
        os.close(folder.lock)
    assert not folder.path.exists()


def is_held(folder: TemporaryFolder) -> bool:
    try:
        fcntl.flock(folder.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(folder.lock, fcntl.LOCK_UN)
    return False


def test_what_only_has_the_name_is_not_touched(place: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    link, file, pipe = (left_behind() for _ in range(3))
    for path in (link, file, pipe):
        path.rmdir()
    link.symlink_to(elsewhere)
    file.write_text("kept")
    os.mkfifo(pipe)
    by_hand = [place / name for name in ("stockwire-database", "stockwire-00000000-00000000", f"{left_behind().name}x")]
    for path in by_hand:
        path.mkdir()
    clear_leftovers()
    assert link.is_symlink()
    assert (elsewhere / "file").exists()
    assert file.read_text() == "kept"
    assert pipe.is_fifo()
    assert all(path.is_dir() for path in by_hand)


def test_what_is_too_deep_to_be_cleared_keeps_neither_the_rest_nor_a_start(place: Path) -> None:
    folders = [left_behind() for _ in range(3)]
    deep = os.open(folders[1], os.O_RDONLY)
    for _ in range(2 * sys.getrecursionlimit()):
        os.mkdir("in", dir_fd=deep)
        inner = os.open("in", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(deep)
    clear_leftovers()
    assert not any(folder.exists() for folder in (folders[0], folders[2]))
    subprocess.run(["rm", "-rf", folders[1]], check=True)


def test_a_folder_of_another_user_is_not_touched(place: Path) -> None:
    require_root()
    folder = left_behind()
    (folder / "file").touch()
    os.chown(folder, STRANGER, STRANGER)
    clear_leftovers()
    assert (folder / "file").exists()


def test_what_is_put_in_its_place_meanwhile_is_not_emptied(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's user owns the folder of its sockets, and may move it away while root looks at it."""
    folder, elsewhere = left_behind(), place / "elsewhere"
    (folder / "file").touch()
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    lock = fcntl.flock

    def swap(descriptor: int, operation: int) -> None:
        lock(descriptor, operation)
        folder.rename(place / "moved")
        folder.symlink_to(elsewhere)

    monkeypatch.setattr(fcntl, "flock", swap)
    clear_leftovers()
    assert (elsewhere / "file").exists()
    assert folder.is_symlink()


def test_a_new_folder_that_was_cleared_before_it_was_locked_is_made_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another start finds it in that moment, and nobody holds it."""
    lock = fcntl.flock
    found: list[Path] = []

    def clear_first(descriptor: int, operation: int) -> None:
        if not found:
            found.extend(place.iterdir())
            clear_leftovers()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", clear_first)
    made = temporary_folder()
    assert len(found) == 1
    assert not found[0].exists()
    assert made.path.is_dir()
    clear_leftovers()
    assert made.path.is_dir()
    os.close(made.lock)


def killed_at_once(*prefix: str) -> Path:
    """The folder that a run left which was killed with its watchdog."""
    command = [*prefix, sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout is not None
        path, watchdog = parent.stdout.readline().split()
        parent.send_signal(signal.SIGSTOP)  # or it opens another watchdog between the two
        os.kill(int(watchdog), signal.SIGKILL)
        parent.kill()
    return Path(os.fsdecode(path))


def test_the_next_run_clears_what_one_left_that_was_killed_with_its_watchdog(place: Path) -> None:
    left = killed_at_once()
    assert left.is_dir()
    with Watchdog():
        assert not left.exists()


def test_a_plain_user_clears_what_is_theirs_and_nothing_of_root(place: Path, tmp_path: Path) -> None:
    stranger = as_stranger(tmp_path)
    of_root, theirs = killed_at_once(), killed_at_once(*stranger)
    assert theirs.stat().st_uid == STRANGER
    done = subprocess.run([*stranger, sys.executable, "-c", PARENT], cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0
    assert not theirs.exists()
    assert of_root.is_dir()
