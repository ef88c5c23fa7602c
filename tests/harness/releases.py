"""Releases, as the repository's own history has them: a clone, a mirror or a push may lack tags.

A release is the commit whose CHANGELOG.md first has its dated heading; its tree is that version.
"""

import re
import subprocess
from pathlib import Path

from server.version import VERSION
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

CHANGELOG = ROOT / "CHANGELOG.md"
CLIENT_CHANGELOG = ROOT / "client-sdk" / "python" / "CHANGELOG.md"
_HEADING = re.compile(r"^## \[([^\]]+)\](?: - (.+))?$", re.MULTILINE)


def headings(changelog: Path) -> dict[str, str]:
    """The date of each version in it, the newest first; of ``Unreleased`` it is empty."""
    return dict(_HEADING.findall(changelog.read_text(encoding="utf-8")))


def released() -> list[str]:
    """The newest first."""
    return [version for version, date in headings(CHANGELOG).items() if date]


def version_before() -> str:
    """The newest release that is not this version."""
    return next(version for version in released() if version != VERSION)


def commit_of(version: str) -> str | None:
    """The commit that is this release; None where the history does not reach back to it."""
    heading = f"## [{version}] - 2"  # of the year: before its release a version has no date
    found = _git("log", "--reverse", "--format=%H", f"-S{heading}", "--", CHANGELOG.name)
    return found.split()[0] if found else None


def head() -> str:
    """The commit that this tree is at, and whether its code has been changed since; empty where git knows nothing."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "*.py", "*.sql", "*.c", "requirements.txt")
    return _git("rev-parse", "--short", "HEAD").strip() + (" with changes" if changed else "")


def file_of(commit: str, path: str) -> str:
    return _git("show", f"{commit}:{path}")


def files_of(commit: str, folder: str) -> list[str]:
    """The names of the files in ``folder``."""
    return _git("ls-tree", "--name-only", f"{commit}:{folder}").split()


def archive_of(commit: str, *paths: str) -> bytes:
    """These folders of its tree, as a tar file."""
    return _output("archive", commit, "--", *paths)


def is_whole() -> bool:
    """Whether there is a history that reaches back to the first commit: an unpacked archive has none."""
    return _git("rev-parse", "--is-shallow-repository").strip() == "false"


def _git(*arguments: str) -> str:
    return _output(*arguments).decode()


def _output(*arguments: str) -> bytes:
    """Empty where git knows nothing of it, or where there is no git."""
    # safe.directory: a clone may belong to another user, as where a container mounts it
    command = ["git", "-c", f"safe.directory={ROOT}", *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE_S, check=False)
    except FileNotFoundError:
        return b""
    return done.stdout if done.returncode == 0 else b""
