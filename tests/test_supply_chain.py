"""What is installed is what was locked: every wheel by its hash, and all of them in the bill of materials."""

import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.dockerfile import all_of
from tests.harness import jars, node_peers, wheel_program
from tests.harness.peers import PINNED as PEERS_PINNED
from tests.harness.peers import PROGRAMS, locks
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

RUN, TEST = "requirements.txt", "requirements-test.txt"
EXTRAS = ("requirements-tracing.txt", "requirements-streams.txt")
LOCKS = (
    RUN,
    *EXTRAS,
    TEST,
    *(str(lock.relative_to(ROOT)) for lock in (*locks(), *(program.lock for program in PROGRAMS))),
)
NODE = ROOT / "client-sdk" / "js"
SHA256 = re.compile(r"--hash=sha256:([0-9a-f]{64})(?= |\Z)")
PINNED = re.compile(r"([a-z0-9-]+)(?:\[[a-z,]+\])?==([^\s;]+) ")

Locked = dict[tuple[str, str], set[str]]
"""Hashes by name and version: one name may have two versions, for different Pythons."""


def requirements(file: str) -> list[str]:
    """Each on one line, without comments."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / file).read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def locked(file: str) -> Locked:
    found: Locked = {}
    for line in requirements(file):
        pin = PINNED.match(line)
        assert pin, f"{file} does not say which version: {line}"
        found[pin[1], pin[2]] = set(SHA256.findall(line))
    return found


def running() -> Locked:
    """With all extras, as the image has it."""
    return {pin: hashes for lock in (RUN, *EXTRAS) for pin, hashes in locked(lock).items()}


def hashes_of(component: dict[str, Any]) -> set[str]:
    return {
        found["content"]
        for reference in component["externalReferences"]
        for found in reference.get("hashes", [])
        if found["alg"] == "SHA-256"
    }


def make_sbom(to: Path) -> dict[str, Any]:
    """By the Makefile's own command. ``-o``: nothing is installed in the middle of a test."""
    command = ["make", "-s", "-o", ".venv/.installed-test", "sbom", f"SBOM={to}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(to.read_text())
    return document


@pytest.mark.parametrize("file", LOCKS)
def test_nothing_is_locked_without_a_hash(file: str) -> None:
    assert locked(file)
    assert not [pin for pin, hashes in locked(file).items() if not hashes]


@pytest.mark.parametrize("file", LOCKS)
def test_a_lock_file_names_no_place_to_fetch_from(file: str) -> None:
    assert not [line for line in requirements(file) if line.startswith("-") or "://" in line]


def test_the_node_tools_are_locked_by_hash_and_named_without_a_place_or_a_script() -> None:
    text = (NODE / "package-lock.json").read_text()
    packages: dict[str, dict[str, Any]] = json.loads(text)["packages"]
    own = packages.pop("")
    assert packages
    assert not [name for name, one in packages.items() if not one["integrity"].startswith("sha512-")]
    assert not [name for name, one in packages.items() if "resolved" in one]
    assert not [version for version in own["devDependencies"].values() if not re.fullmatch(r"[\d.]+", version)]
    assert "dependencies" not in own, "the client itself needs none"
    assert "ignore-scripts=true" in (NODE / ".npmrc").read_text().splitlines()


@pytest.mark.parametrize("name", node_peers.names())
def test_peers_from_npm_are_locked_by_hash_and_named_without_a_place_or_a_script(name: str) -> None:
    folder = node_peers.folder_of(name)
    packages: dict[str, dict[str, Any]] = json.loads((folder / "package-lock.json").read_text())["packages"]
    own = packages.pop("")
    assert packages
    assert not [name for name, one in packages.items() if not one["integrity"].startswith("sha512-")]
    assert not [name for name, one in packages.items() if "resolved" in one]
    assert not [version for version in own["dependencies"].values() if not re.fullmatch(r"[\d.]+", version)]
    assert "ignore-scripts=true" in (folder / ".npmrc").read_text().splitlines()
    for packed in json.loads((folder / "package.json").read_text()).get("packed", ()):
        assert packed["integrity"].startswith("sha512-")
        assert re.fullmatch(r"@?[\w./-]+@[\d.]+", packed["package"])


def test_what_is_tested_is_what_runs() -> None:
    tested = locked(TEST)
    assert {pin: tested.get(pin) for pin in running()} == running()


def test_what_extras_need_is_of_one_version_with_what_running_needs() -> None:
    """The image has all: two versions of one package, but for different Pythons, would keep pip from installing it."""
    for one, other in combinations((locked(lock) for lock in (RUN, *EXTRAS)), 2):
        both = {name for name, _ in one} & {name for name, _ in other}
        assert both
        assert {pin for pin in one if pin[0] in both} == {pin for pin in other if pin[0] in both}


@pytest.mark.usefixtures("processes")
def test_the_bill_of_materials_names_exactly_what_is_locked_and_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    components = make_sbom(first)["components"]
    assert {(one["name"], one["version"]): hashes_of(one) for one in components} == running()
    assert len(components) == len(running())
    make_sbom(second)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("program", jars.ALL, ids=lambda program: program.name)
def test_no_jar_is_taken_without_a_hash(program: jars.Jars) -> None:
    lines = (program.locked / "jars.sha256").read_text().splitlines()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[0-9a-f]{64}  [\w.+-]+\.jar", line)] == []
    assert not re.search(r"<version>[^<]*(SNAPSHOT|LATEST|RELEASE|[\[(,])", (program.locked / "pom.xml").read_text())


def test_whatever_installs_asks_for_hashes() -> None:
    """Our own two packages come from the build context, and bring nothing with them."""
    installs = [run for run in all_of("RUN") if "python install " in run]
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert all(f"-r {lock}" in installs[0] for lock in (RUN, *EXTRAS))
    assert "--no-deps --no-build-isolation" in installs[1]
    assert {"--require-hashes", "--only-binary=:all:"} <= {*PEERS_PINNED} & {*wheel_program.PINNED}
    makefile = (ROOT / "Makefile").read_text()
    assert "PINNED := --require-hashes --only-binary=:all:" in makefile
    assert "OURS   := --no-deps --no-build-isolation " in makefile
    for line in makefile.splitlines():
        if "$(PIP) install" in line:
            assert "install $(PINNED) -r " in line or line.endswith("install $(OURS)"), line
