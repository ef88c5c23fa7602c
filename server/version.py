"""The version of the servers and commands, and which versions may work together. Pure.

The version stands in the code and not in what pip remembers, which is older than the code after a ``git pull``.
"""

import re
from collections.abc import Iterable

VERSION = "0.2.0.dev0"
"""PEP 440. ``.dev0``: on the way to that release, under its promises already."""

RELEASES = ("0.1", "0.2")
"""Every release that may be met, in order, by major and minor; the last is this one. Patches change no promise."""


def release_of(version: str) -> str:
    return ".".join(version.split(".")[:2])


def unpromised(versions: Iterable[str]) -> tuple[str, str] | None:
    """The oldest and the newest of ``versions`` if no promise covers both: only neighbours work together."""
    by_age = sorted(versions, key=_numbers)
    if by_age and _releases_between(by_age[0], by_age[-1]) > 1:
        return by_age[0], by_age[-1]
    return None


def _releases_between(older: str, newer: str) -> int:
    """How many steps from one to the other. Of releases to come it is known that they count up by one."""
    first, last = release_of(older), release_of(newer)
    known = RELEASES.index(first) if first in RELEASES else -1  # older than all, if the last one is known
    if last in RELEASES:
        return RELEASES.index(last) - known
    (major, minor), (major_last, minor_last) = _numbers(older), _numbers(newer)
    counted = minor_last - minor if major == major_last else major_last - major
    return max(counted, len(RELEASES) - known) if first in RELEASES else counted


def _numbers(version: str) -> tuple[int, int]:
    """Major and minor, of what a process says: it may be anything."""
    major, minor, *_ = (*(int(part) for part in re.findall(r"\d+", version)), 0, 0)
    return major, minor
