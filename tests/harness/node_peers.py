"""Clients of others from npm, and single files out of packages that would bring a hundred others with them.

``make peers`` installs what each package-lock.json below tests/channels and tests/deploy names, and takes the files
that ``packed`` in the package.json beside it names out of packages that it fetches and compares with their hash. Into
.venv/peers/<name>, as ``peers.py`` does for Python's.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.harness.node import FETCH, INSTALL_S, NPM, environment
from tests.harness.source import ROOT

FOLDERS = tuple(ROOT / "tests" / room for room in ("channels", "deploy"))
"""Of each peer's folder, which has its name."""
PEERS = ROOT / ".venv" / "peers"
REQUIRED = "STOCKWIRE_REQUIRE_PEERS"
LOCKS = ("package.json", "package-lock.json", ".npmrc")
HOW = "the peers of the tests are not installed: `make peers` fetches them from the npm registry"


class NotFetched(Exception):
    """In npm's words, or what was wrong with what came."""


def need_node_peer(name: str) -> Path:
    """The folder with its ``node_modules`` and the packed files. Skips the test where it is not installed as locked, or
    fails it where it has to be."""
    if not is_installed(name):
        (pytest.fail if os.environ.get(REQUIRED) == "1" else pytest.skip)(f"{name}: {HOW}")
    return PEERS / name


def names() -> list[str]:
    return sorted(one.parent.name for folder in FOLDERS for one in folder.glob("*/package-lock.json"))


def folder_of(name: str) -> Path:
    """Where its lock files are."""
    (found,) = (folder / name for folder in FOLDERS if (folder / name / "package-lock.json").exists())
    return found


def is_installed(name: str) -> bool:
    """As it is locked now: the stamp holds the lock files of what was installed."""
    stamp = _stamp(name)
    return stamp.exists() and stamp.read_bytes() == _locked(name)


def install(name: str) -> None:
    """Raises NotFetched."""
    folder = PEERS / name
    folder.mkdir(parents=True, exist_ok=True)
    for lock in LOCKS:
        shutil.copy(folder_of(name) / lock, folder / lock)
    _npm("ci", "--ignore-scripts", *FETCH, cwd=folder)
    for packed in json.loads((folder / "package.json").read_text()).get("packed", ()):
        _take_out(packed, folder)
    _stamp(name).write_bytes(_locked(name))


def _take_out(packed: dict[str, Any], folder: Path) -> None:
    with tempfile.TemporaryDirectory() as fetched:
        _npm("pack", packed["package"], "--pack-destination", fetched, *FETCH, cwd=folder)
        (archive,) = Path(fetched).iterdir()
        found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != packed["integrity"]:
            raise NotFetched(f"{packed['package']} is {found}, not {packed['integrity']}")
        with tarfile.open(archive) as opened:
            member = opened.extractfile(packed["file"])
            assert member, packed["file"]
            (folder / Path(packed["file"]).name).write_bytes(member.read())


def _npm(*arguments: str, cwd: Path) -> None:
    try:
        done = subprocess.run(
            [*NPM, *arguments, "--loglevel=error"],
            cwd=cwd,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotFetched(f"not within {INSTALL_S:.0f} s") from None
    if done.returncode:
        raise NotFetched(done.stderr)


def _locked(name: str) -> bytes:
    return b"".join((folder_of(name) / lock).read_bytes() for lock in LOCKS)


def _stamp(name: str) -> Path:
    return PEERS / name / ".node-installed"
