"""A folder of ours in a place that everybody may enter, which stays no longer than the run that made it.

The run and its watchdog hold a shared lock (flock) on the folder itself, and the watchdog removes it after the run. If
both were killed, the kernel has dropped their locks, and the next run of the same user clears it: ``clear_leftovers``.
What is cleared is proved to be ours and dead, whatever else stands in such a place:

- the name carries a seal over its random part and the user who made it, so nobody calls a folder so by accident;
- it is a folder, no link, and belongs to that user, or to the one that root gives PostgreSQL's sockets to;
- its lock is free, and ours until the folder is gone. All is done by descriptors: what is put in its place meanwhile
  is not what is emptied.
"""

import fcntl
import hashlib
import os
import pwd
import re
import secrets
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cli.places import fitting_places, places
from cli.system_user import NAME
from server.settings.environment import SettingsError

_NAME = re.compile(r"stockwire-([0-9a-f]{8})-([0-9a-f]{8})")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_TRIES = 3  # somebody's clearing may take a new folder before it is locked: once is rare, thrice is another fault


@dataclass(frozen=True, slots=True)
class TemporaryFolder:
    """``lock``: a descriptor; while it is open the folder is left alone."""

    path: Path
    lock: int


def temporary_folder(*, programs: bool = False) -> TemporaryFolder:
    """A new folder of mode 0700, good for sockets, in a place that is open to everybody. Raises SettingsError.

    ``programs``: programs will be started from it.
    """
    tried = fitting_places(_new_name(), programs=programs)
    for place in (place for place in tried for _ in range(_TRIES)):
        with suppress(OSError):  # not ours to write, or cleared before it was locked
            return _make(place / _new_name())
    raise SettingsError(
        f"no folder for {'programs' if programs else 'sockets'} can be made in any of "
        f"{', '.join(map(str, places()))}: set TMPDIR to one with a short path that every user may enter"
    )


def clear_leftovers() -> None:
    """Removes what killed runs of this user left. What cannot be removed stays: no start fails for it."""
    for place in places():
        with suppress(OSError):
            opened = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
            try:
                for name in filter(_is_ours, os.listdir(opened)):
                    with suppress(OSError, RecursionError):  # the second: folders within folders, thousands deep
                        _clear(opened, name)
            finally:
                os.close(opened)


def _make(path: Path) -> TemporaryFolder:
    path.mkdir(mode=0o700)
    lock = os.open(path, _FOLDER)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(lock), path.lstat()):
            raise FileNotFoundError(path)
    except OSError:
        os.close(lock)
        with suppress(OSError):
            path.rmdir()
        raise
    return TemporaryFolder(path, lock)


def _clear(place: int, name: str) -> None:
    folder = os.open(name, _FOLDER, dir_fd=place)
    try:
        if os.fstat(folder).st_uid not in _owners():
            return
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for inner in os.listdir(folder):
            if stat.S_ISDIR(os.stat(inner, dir_fd=folder, follow_symlinks=False).st_mode):
                shutil.rmtree(inner, dir_fd=folder)
            else:
                os.unlink(inner, dir_fd=folder)
        os.rmdir(name, dir_fd=place)
    finally:
        os.close(folder)


def _owners() -> set[int]:
    owners = {os.geteuid()}
    if os.geteuid() == 0:
        with suppress(KeyError):
            owners.add(pwd.getpwnam(NAME).pw_uid)
    return owners


def _new_name() -> str:
    number = secrets.token_hex(4)
    return f"stockwire-{number}-{_seal(number)}"


def _is_ours(name: str) -> bool:
    found = _NAME.fullmatch(name)
    return found is not None and _seal(found[1]) == found[2]


def _seal(number: str) -> str:
    """No secret: it tells our names from those that people give."""
    return hashlib.sha256(f"stockwire {os.geteuid()} {number}".encode()).hexdigest()[:8]
