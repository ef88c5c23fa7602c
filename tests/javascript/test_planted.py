"""Faults put into the JavaScript client on purpose: each is found by the client's own tests or by cutting its line."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.node import NODE, PACKAGE
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

FAULTS = {
    "a level of the same or an older version is applied": (
        "feed.js",
        "if (known && level.version < known.version + (held ? 1 : 0)) return;",
        "",
        "tests/vectors.test.js",
    ),
    "a heartbeat moves the position of what is still being sent": (
        "pack.js",
        "if (!this.isComplete || !held) return;",
        "if (!held) return;",
        "tests/packing.test.js",
    ),
    "what is held outlives its epoch": (
        "session.js",
        "if (this.epoch !== undefined && this.epoch !== message.epoch) this.#drop();",
        "",
        "tests/vectors.test.js",
    ),
    "what a complete snapshot does not name is kept": (
        "feed.js",
        "this.taking.set(pack, new Set());",
        "",
        "tests/vectors.test.js",
    ),
    "subscriptions taken together go on from the latest position": (
        "pack.js",
        "Math.min(number, first.seq[shard] ?? number)",
        "Math.max(number, first.seq[shard] ?? number)",
        "tests/packing.test.js",
    ),
    "silence is never judged": (
        "link.js",
        "return Math.abs(Date.now() - this.heard_ms) > this.#silence_ms();",
        "return false;",
        "tests/connection.test.js",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, tmp_path: Path) -> None:
    name, line, planted, test = FAULTS[fault]
    package = tmp_path / "client-sdk" / "js"
    for folder in ("src", "tests"):
        shutil.copytree(PACKAGE / folder, package / folder)
    shutil.copy(PACKAGE / "package.json", package)
    shutil.copytree(ROOT / "wire" / "vectors", tmp_path / "wire" / "vectors")
    source = package / "src" / name
    text = source.read_text()
    assert text.count(line) == 1, f"{name} has changed: plant the fault where it is now"
    source.write_text(text.replace(line, planted))
    done = subprocess.run(
        [NODE, "--test", test], cwd=package, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 1, f"{test} does not find that {fault}"
    assert "ERR_ASSERTION" in done.stdout, f"it fails at something else: {done.stdout}"
