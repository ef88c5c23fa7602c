"""Where files may stand that more than their own user must reach, or whose path must be short.

A folder belongs to whoever named it: none is ever opened to others. What others must reach stands in a new one of ours,
below a place that is open to everybody already, and goes when we have gone (``cli.temporary_folder``).
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

_SOCKET_FOLDER_BYTES_MAX = 90  # sun_path holds 104 bytes on macOS, 108 on Linux; leaves room for the file's name
# A socket's folder is read from URLs, server options and shell lines, each with marks of its own: a comma parts hosts.
_PLAIN = re.compile(r"[A-Za-z0-9._/-]+")
_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run")


def closed_parent(path: Path) -> Path | None:
    """The first folder above ``path`` that strangers may not pass through."""
    return next((parent for parent in reversed(path.resolve().parents) if not _open_to_strangers(parent)), None)


def good_for_sockets(folder: Path) -> bool:
    """Whether its path is short enough for a socket, and of letters that mean nothing to anybody."""
    path = str(folder)
    return len(os.fsencode(path)) <= _SOCKET_FOLDER_BYTES_MAX and _PLAIN.fullmatch(path) is not None


def places() -> list[Path]:
    """Where temporary folders may stand, the best first; some of them may not be there."""
    return [Path(place) for place in dict.fromkeys((os.environ.get("TMPDIR"), *_PLACES)) if place]


def fitting_places(name: str, *, programs: bool) -> Iterator[Path]:
    """Those where a folder called ``name`` is good for sockets and open to everybody.

    ``programs``: programs will be started from it, which some machines forbid below /tmp.
    """
    for place in places():
        with contextlib.suppress(OSError):  # not ours to look at
            if _fits(place, name, programs):
                yield place.resolve()


def _fits(place: Path, name: str, programs: bool) -> bool:
    example = place.resolve() / name
    if not place.is_dir() or not good_for_sockets(example) or closed_parent(example) is not None:
        return False
    return not (programs and os.statvfs(place).f_flag & getattr(os, "ST_NOEXEC", 0))


def _open_to_strangers(folder: Path) -> bool:
    """One that does not exist yet is made by us."""
    return not folder.exists() or bool(folder.stat().st_mode & stat.S_IXOTH)
