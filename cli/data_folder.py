"""The folder that one running system keeps its things in: database, logs, secrets, and what scripts read (run.json).

A folder is ours only if it holds our marker file; any other that is not empty is never touched. One system at a time:
the lock is the kernel's (flock), so none is left stale; the watchdog holds it too, so it ends when the last child has.
"""

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from cli.system_user import take_back
from server.settings.environment import SettingsError

MARKER = "stockwire.folder"
_MARKER_TEXT = "Data of one Stockwire system. `stockwire up --reset` empties this folder.\n"
_ENVIRONMENT = "environment"
_LOCK_WAIT_S = 15.0  # a killed system's watchdog ends its children within 5 s


class DataFolder:
    """Open it with ``claim``; the lock is held until ``release`` or until the process and its watchdog are gone."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.lock: int | None = None

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    def claim(self, *, reset: bool) -> None:
        """Makes the folder if needed, locks it, empties it on ``reset``. Raises SettingsError."""
        try:
            self._make()
            self._acquire()
            if reset:
                self._empty()
            self.run_file.unlink(missing_ok=True)
        except OSError as error:
            raise SettingsError(f"{self.path} cannot be used ({error.strerror}): name a folder of yours") from error

    def release(self) -> None:
        """Safe if never claimed, safe twice."""
        if self.lock is not None:
            self.run_file.unlink(missing_ok=True)
            os.close(self.lock)
            self.lock = None

    def write_run(self, content: Mapping[str, object]) -> None:
        """Atomic: a reader sees the old content or the new one."""
        write_private(self.run_file, json.dumps(content, indent=1) + "\n")

    def write_environment(self, variables: Mapping[str, str]) -> None:
        """What other server commands need to reach this system (``stockwire doctor``); a shell can read it too."""
        lines = [f"{name}='{value}'\n" for name, value in sorted(variables.items())]
        write_private(self.path / _ENVIRONMENT, "".join(lines))

    def environment(self) -> dict[str, str]:
        """Empty when no system has run here."""
        try:
            lines = (self.path / _ENVIRONMENT).read_text().splitlines()
        except OSError:
            return {}
        pairs = (line.partition("=") for line in lines if "=" in line)
        return {name: value.strip("'") for name, _, value in pairs}

    def secret(self, name: str) -> str | None:
        try:
            return (self.path / name).read_text().strip() or None
        except FileNotFoundError:
            return None

    def keep_secret(self, name: str, value: str | None = None) -> str:
        """Writes ``value`` (by default a new random one) to a file of mode 0600."""
        value = value or secrets.token_urlsafe(48)
        write_private(self.path / name, value + "\n")
        return value

    def _make(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise SettingsError(f"{self.path} is a file: name a folder with --data")
        if self.path.exists() and any(self.path.iterdir()) and not (self.path / MARKER).is_file():
            raise SettingsError(
                f"{self.path} holds something else than Stockwire's data and is left alone: "
                "name an empty or a new folder with --data"
            )
        # As root, PostgreSQL's system user must pass through to its own folder below; it cannot list this one.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        self.path.mkdir(mode=mode, parents=True, exist_ok=True)
        self.path.chmod(mode)
        (self.path / MARKER).write_text(_MARKER_TEXT)

    def _acquire(self) -> None:
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + _LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = os.pread(lock, 20, 0).decode().strip()
                if _alive(holder) or time.monotonic() > deadline:
                    os.close(lock)
                    raise SettingsError(
                        f"a system is already running on {self.path} (pid {holder}): "
                        "stop it with Ctrl-C, or name another folder with --data"
                    ) from None
                time.sleep(0.1)  # its parent was killed and the watchdog is still clearing up
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self.lock = lock

    def _empty(self) -> None:
        for child in self.path.iterdir():
            if child.name in (MARKER, "lock"):
                continue
            if child.is_dir() and not child.is_symlink():
                take_back(child)
                shutil.rmtree(child)
            else:
                child.unlink()


def write_private(path: Path, text: str) -> None:
    """Replaces ``path`` at once by a file of mode 0600."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def _alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
