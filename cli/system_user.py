"""PostgreSQL refuses to run as root: who it runs as instead, and how that user reaches its files.

As an ordinary user nothing of this is needed. As root (a container, a CI machine) it runs as the system user
``stockwire`` through util-linux's ``setpriv``. Where a parent folder is closed to that user (a clone below /root, a
temporary folder), it gets the one capability to pass through, rather than those folders being opened to everyone.
"""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from wire.environment import SettingsError

NAME = "stockwire"
# In order of preference: reading is enough, but containers usually grant only the second. Numbers: linux/capability.h
_CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}


@dataclass(frozen=True, slots=True)
class SystemUser:
    """``prefix``: what goes before a command so that it runs as this user; empty when it is ourselves."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    @classmethod
    def for_postgres(cls, *paths: Path) -> Self:
        """``paths``: what the user must be able to reach. Raises SettingsError."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        setpriv = shutil.which("setpriv")
        if sys.platform != "linux" or setpriv is None:
            raise SettingsError("PostgreSQL does not run as root: start as an ordinary user")
        entry = _entry()
        prefix = [setpriv, f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
        prefix += ["--pdeathsig=keep"]  # which cli.launch has set, and a change of user would clear
        if closed := closed_parent(*paths):
            capability = _capability(closed)
            prefix += [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
        return cls(entry.pw_uid, entry.pw_gid, (*prefix, "--"))

    def prefixed(self, *command: str) -> tuple[str, ...]:
        return (*self.prefix, *command)

    def own(self, path: Path) -> None:
        if self.prefix:
            os.chown(path, self.uid, self.gid)


def closed_parent(*paths: Path) -> Path | None:
    """The first folder above ``paths`` that strangers may not pass through."""
    for path in paths:
        for parent in reversed(path.resolve().parents):
            if parent.exists() and not parent.stat().st_mode & stat.S_IXOTH:
                return parent
    return None


def _entry() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    command = [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/",
        "--shell",
        "/bin/false",
        NAME,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SettingsError(
            f"PostgreSQL does not run as root, and the user {NAME} for it cannot be made ({error}): "
            "start as an ordinary user"
        ) from error
    return pwd.getpwnam(NAME)


def _capability(closed: Path) -> str:
    status = Path("/proc/self/status").read_text()
    bounding = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:")), 16)
    for name, bit in _CAPABILITIES.items():
        if bounding >> bit & 1:
            return name
    raise SettingsError(f"{closed} is closed to {NAME}, the user that PostgreSQL runs as: chmod o+x {closed}")
