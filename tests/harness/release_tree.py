"""Releases: this one, and those of the repository's own history, laid out so that their programs run beside ours."""

import asyncio
import io
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.processes import ROOT, clean_environment
from tests.harness.releases import archive_of, files_of, is_whole
from tests.harness.waiting import PATIENCE_S

CLIENT = "client-sdk/python/src"
PARTS = {"wire": "wire", "server": "server", "ledger": "ledger", "hub": "hub", "cli": "cli", "stockwire": CLIENT}
"""The folder of each package: all that runs."""
COMMAND = "import stockwire_command; stockwire_command.main()"
NO_HISTORY = (
    "releases of the past are laid out from this repository's history, and there is none here: clone it with git, or in"
    " a shallow clone `git fetch --unshallow`"
)


@dataclass(frozen=True, slots=True)
class Release:
    """``tree``: the folder with its packages. What runs with it runs that code alone, on this Python's libraries."""

    name: str
    tree: Path

    @property
    def version(self) -> str | None:
        """As its servers say it; None: from before they did."""
        file = self.tree / "server" / "version.py"
        return re.findall(r'^VERSION = "(.+)"$', file.read_text(), re.MULTILINE)[0] if file.exists() else None

    @property
    def schema(self) -> str:
        """The number of its newest migration."""
        files = (self.tree / "ledger" / "migrations" / "versions").glob("[0-9]*.py")
        return max(path.name.partition("_")[0] for path in files)

    @property
    def packages(self) -> list[str]:
        """Not all of them were there from the beginning."""
        return [name for name, folder in PARTS.items() if (self.tree / folder).is_dir()]

    @property
    def python_path(self) -> str:
        return f"{self.tree}{os.pathsep}{self.tree / CLIENT}"

    def environment(self, settings: Mapping[str, object]) -> dict[str, str]:
        return clean_environment({"PYTHONPATH": self.python_path, **settings})

    def command(self, *arguments: str) -> list[str]:
        """Its ``stockwire``."""
        return [sys.executable, "-c", COMMAND, *arguments]

    async def stockwire(self, settings: Mapping[str, object], *arguments: str) -> subprocess.CompletedProcess[str]:
        """Its ``stockwire`` with these arguments, to its end."""
        return await asyncio.to_thread(
            subprocess.run,
            self.command(*arguments),
            cwd=self.tree,
            env=self.environment(settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def check_alone(self) -> None:
        """Raises AssertionError if a package of it would come from anywhere else."""
        packages = ", ".join(self.packages)
        said = f"import {packages}\nfor one in ({packages}): print(one.__file__)"
        found = subprocess.run(
            [sys.executable, "-c", said],
            cwd=self.tree,
            env=self.environment({}),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        ).stdout.split()
        assert len(found) == len(self.packages)
        assert all(Path(file).is_relative_to(self.tree) for file in found), found


def this_release() -> Release:
    return Release("this", ROOT)


def past_release(commit: str, name: str, folder: Path) -> Release:
    """The tree of ``commit`` in ``folder``, compiled. Skips the test, or fails it, where there is no history."""
    require_history()
    there = files_of(commit, "")
    parts = [part for part in PARTS.values() if part.partition("/")[0] in there]
    with tarfile.open(fileobj=io.BytesIO(archive_of(commit, *parts))) as archive:
        archive.extractall(folder, filter="data")
    return compiled(Release(name, folder))


def compiled(release: Release) -> Release:
    """Once, instead of at each start of each of its processes."""
    subprocess.run([sys.executable, "-m", "compileall", "-qq", "."], cwd=release.tree, timeout=PATIENCE_S, check=True)
    release.check_alone()
    return release


def require_history() -> None:
    """Skips the test where this clone has none, or fails it where STOCKWIRE_REQUIRE_HISTORY says so."""
    if not is_whole():
        if os.environ.get("STOCKWIRE_REQUIRE_HISTORY") == "1":
            pytest.fail(NO_HISTORY)
        pytest.skip(NO_HISTORY)
