"""Programs in Java that tests run: their jars by Maven, each compared with its hash.

    python -m tests.harness.jars lock            writes the hashes of what the pom.xml beside them names now

``make peers`` puts them into .venv/peers/<name>/jars. Their tests ask ``need``.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.source import ROOT

REQUIRED = "STOCKWIRE_REQUIRE_PEERS"
FETCH_S = 300.0
"""60 MB over a slow line."""
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
MAVEN = ("mvn", "--batch-mode", "--quiet", "--strict-checksums", COPY, "-DincludeScope=runtime")


class NotFetched(Exception):
    """In Maven's words, or what was wrong with what came."""


@dataclass(frozen=True, slots=True)
class Jars:
    """``locked``: the folder of its pom.xml, and of jars.sha256, as ``sha256sum`` writes it."""

    name: str
    locked: Path

    def need(self) -> None:
        """Skips the test where they or Java are missing, or fails it where they have to be there."""
        missing = self.how if not self.is_installed() else "no java on this machine" if not shutil.which("java") else ""
        if missing:
            (pytest.fail if os.environ.get(REQUIRED) == "1" else pytest.skip)(missing)

    @property
    def how(self) -> str:
        return f"{self.name} is not installed: `make peers` fetches its jars by Maven"

    @property
    def folder(self) -> Path:
        return ROOT / ".venv" / "peers" / self.name / "jars"

    def is_installed(self) -> bool:
        """As it is locked now: the stamp holds the list of what was installed."""
        return self._stamp.exists() and self._stamp.read_bytes() == self._hashes.read_bytes()

    def install(self) -> None:
        """Raises NotFetched."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as fetched:
            new = Path(fetched) / "jars"
            if self._fetch(new) != self._hashes.read_text():
                raise NotFetched(f"what Maven brought for {self.name} is not what {self._hashes} lists")
            shutil.rmtree(self.folder, ignore_errors=True)
            new.rename(self.folder)
        self._stamp.write_bytes(self._hashes.read_bytes())

    def lock(self) -> None:
        with tempfile.TemporaryDirectory() as fetched:
            self._hashes.write_text(self._fetch(Path(fetched)))

    def _fetch(self, folder: Path) -> str:
        """Returns the list of what came."""
        command = [*MAVEN, "-f", str(self.locked / "pom.xml"), f"-DoutputDirectory={folder}"]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=FETCH_S, check=False)
        except FileNotFoundError:
            raise NotFetched("no Maven on this machine (Debian: apt-get install maven)") from None
        except subprocess.TimeoutExpired:
            raise NotFetched(f"not within {FETCH_S:.0f} s") from None
        if done.returncode:
            raise NotFetched(done.stdout + done.stderr)
        jars = sorted(folder.glob("*.jar"))
        return "".join(f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n" for jar in jars)

    @property
    def _hashes(self) -> Path:
        return self.locked / "jars.sha256"

    @property
    def _stamp(self) -> Path:
        return self.folder.parent / ".installed"


KAFKA = Jars("kafka", ROOT / "tests" / "harness" / "brokers" / "kafka")
ALL = (KAFKA,)


if __name__ == "__main__":
    assert sys.argv[1:] == ["lock"], __doc__
    for one in ALL:
        one.lock()
