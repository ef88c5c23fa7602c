"""PostgreSQL refuses to run as root: who it runs as instead, and how that user reaches its files.

As an ordinary user nothing of this is needed. As root (a container, a CI machine) it runs as the system user
``stockwire`` through util-linux's ``setpriv``, without any capability. Often that user may not pass through the folders
above its files (root's home is closed, and so is a test's folder), and they are not ours to open. So

- its processes begin **standing in** their data folder, which they call ``/proc/self/cwd``: where one stands already,
  no parent is asked;
- its programs and its sockets stand in folders that everybody may pass to (``cli.places``). Programs are copied there:
  PostgreSQL asks access(2) about itself, which no capability answers;
- what is that user's lets our group in (``give``): we may be a root that has been denied the right to go everywhere.
"""

import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cli.places import closed_parent
from server.settings.environment import SettingsError

NAME = "stockwire"
# What root needs to give a process and its files to somebody else, and to stop it. Numbers: linux/capability.h
_CAPABILITIES = {"CAP_CHOWN": 0, "CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7}
_MAKING_TIMEOUT_S = 5.0  # others may be making the same user now: they hold the lock for moments
_MAKING_POLL_S = 0.1
_SYSTEM_FOLDERS = "/usr/sbin:/sbin"  # not in everybody's PATH


@dataclass(frozen=True, slots=True)
class SystemUser:
    """``prefix``: what goes before a command so that it runs as this user; empty when it is ourselves."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    @classmethod
    def for_postgres(cls) -> Self:
        """Raises SettingsError."""
        if os.geteuid() != 0:
            _require_name(os.geteuid())
            return cls(os.geteuid(), os.getegid())
        setpriv = shutil.which("setpriv")
        if sys.platform != "linux" or setpriv is None:
            raise SettingsError("PostgreSQL does not run as root: start as an ordinary user")
        _require_capabilities()
        entry = _entry()
        prefix = [setpriv, f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
        prefix += ["--pdeathsig=keep"]  # which cli.launch has set, and a change of user would clear
        return cls(entry.pw_uid, entry.pw_gid, (*prefix, "--"))

    @property
    def is_other(self) -> bool:
        return bool(self.prefix)

    def prefixed(self, *command: str) -> tuple[str, ...]:
        return (*self.prefix, *command)

    def reaches(self, path: Path) -> bool:
        return not self.is_other or closed_parent(path) is None

    def name_of(self, folder: Path) -> str:
        """For a process that begins in ``folder``: a name by which this user comes to it, whatever stands above."""
        return "/proc/self/cwd" if self.is_other else str(folder)

    def give(self, path: Path, mode: int) -> None:
        """``path`` to this user and to our group; ``mode`` says how far either may go. Nothing if it is ourselves.

        The folder that it stands in must not be this user's, who could put a link to anything in its place.
        """
        if self.is_other:
            os.chown(path, 0, 0)  # whose it is may set its mode
            path.chmod(mode)
            os.chown(path, self.uid, -1)

    @contextmanager
    def pipe_of(self, text: str) -> Iterator[int]:
        """A pipe that holds ``text``, at most a few KB, for this user to read and to open again as /dev/stdin."""
        reading, writing = os.pipe()
        try:
            os.write(writing, text.encode())
            os.close(writing)
            if self.is_other:
                os.fchown(reading, self.uid, -1)
            yield reading
        finally:
            os.close(reading)


def take_back(folder: Path) -> None:
    """As root: ours again, down to the last folder below, so that all of it can be removed.

    By descriptor, never by path: whose they were may be putting links in their places meanwhile.
    """
    if os.geteuid() == 0 and folder.is_dir():
        os.chown(folder, 0, 0, follow_symlinks=False)
        for _, folders, _, parent in os.fwalk(folder):
            for name in folders:
                os.chown(name, 0, 0, dir_fd=parent, follow_symlinks=False)


def _require_name(uid: int) -> None:
    """initdb looks itself up. Containers are started with numbers that nobody has entered."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise SettingsError(
            f"PostgreSQL needs a user with a name, and user {uid} has none here: add it to /etc/passwd, or set "
            "STOCKWIRE_DATABASE_URL to a server of your own"
        ) from None


def _require_capabilities() -> None:
    status = Path("/proc/self/status").read_text()
    held = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), 16)
    if missing := [name for name, bit in _CAPABILITIES.items() if not held >> bit & 1]:
        raise SettingsError(
            "PostgreSQL does not run as root, and this root may not start it as somebody else "
            f"(no {', '.join(missing)}): start as an ordinary user"
        )


def _entry() -> pwd.struct_passwd:
    """Makes the user if there is none. Several may try at once: one makes it, the others find it."""
    deadline = time.monotonic() + _MAKING_TIMEOUT_S
    while True:
        try:
            return pwd.getpwnam(NAME)
        except KeyError:
            pass
        failed = _make_user()
        if failed and time.monotonic() > deadline:
            raise SettingsError(
                f"PostgreSQL does not run as root, and the user {NAME} for it cannot be made ({failed}): "
                "start as an ordinary user"
            )
        if failed:
            time.sleep(_MAKING_POLL_S)


def _make_user() -> str:
    """Why it failed; empty when it did not."""
    program = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:{_SYSTEM_FOLDERS}")
    if program is None:
        return "there is no useradd"
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/", "--shell", "/bin/false"]
    try:
        done = subprocess.run(
            [program, *options, NAME], capture_output=True, text=True, check=False, timeout=_MAKING_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return " ".join(done.stderr.split()) or "it gave no reason" if done.returncode else ""
