"""The version of the servers and commands, and which versions may work together. Pure.

The version stands in the code and not in what pip remembers, which is older than the code after a ``git pull``.
"""

from collections.abc import Iterable

VERSION = "0.1.0"

RELEASES = ("0.1",)
"""Every release that may be met, in order, by major and minor; the last is this one. Patches change no promise."""


def release_of(version: str) -> str:
    return ".".join(version.split(".")[:2])


def unpromised(versions: Iterable[str]) -> tuple[str, str] | None:
    """The oldest and the newest of ``versions`` if no promise covers both: only neighbours work together.

    A version that is not among ``RELEASES`` is newer than this one.
    """
    known = sorted(versions, key=_rank)
    if known and _rank(known[-1]) - _rank(known[0]) > 1:
        return known[0], known[-1]
    return None


def _rank(version: str) -> int:
    release = release_of(version)
    return RELEASES.index(release) if release in RELEASES else len(RELEASES)
