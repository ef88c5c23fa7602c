"""What every process of ours does around its work."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from server.process import COLLECTOR_THRESHOLDS
from tests.harness.processes import ServerProcess, hub_process, ledger_process
from tests.harness.system import ProcessSystem

CIRCLES = """
import gc, json, sys, weakref
from server.process import ready

class Node: pass

def circle():
    node = Node()
    node.itself = node
    return weakref.ref(node)

ready("till", {})
standing, circles = gc.get_freeze_count(), 400_000
left = sum(ref() is not None for ref in [circle() for _ in range(circles)])
json.dump({"standing": standing, "circles": circles, "left": left}, sys.stderr)
"""
TOLD_AT_THE_END = """
import atexit, gc, json, sys
from {package}.__main__ import main
atexit.register(lambda: print(json.dumps([gc.get_freeze_count(), gc.get_threshold()]), file=sys.stderr))
sys.exit(main())
"""
MODULES_MIN = 30_000
"""Objects, of what a ledger or hub has imported alone: more than half."""


@pytest.mark.usefixtures("processes")
def test_circles_of_garbage_are_still_found_after_the_start() -> None:
    """Nothing that is made after the ready line is kept for ever."""
    ran = subprocess.run([sys.executable, "-c", CIRCLES], capture_output=True, check=True)
    found = json.loads(ran.stderr)
    assert found["standing"] > 0
    assert found["left"] <= COLLECTOR_THRESHOLDS[0] < found["circles"]


@pytest.mark.parametrize("package", ["ledger", "hub"])
async def test_what_stands_at_the_start_is_never_walked_over_again(
    process_system: ProcessSystem, tmp_path: Path, package: str
) -> None:
    process = _ledger(process_system, tmp_path) if package == "ledger" else _hub(tmp_path)
    process.arguments[:] = ["-c", TOLD_AT_THE_END.format(package=package)]
    await process.start()
    assert await process.stop() == 0
    frozen, thresholds = json.loads(process.stderr().splitlines()[-1])
    assert frozen > MODULES_MIN
    assert thresholds == list(COLLECTOR_THRESHOLDS)


def _ledger(system: ProcessSystem, folder: Path) -> ServerProcess:
    settings = {"STOCKWIRE_DATABASE_URL": system.database_url, "STOCKWIRE_REDIS_URL": system.redis_url}
    return ledger_process("settled", folder, {**settings, "STOCKWIRE_TOKEN_SECRET": system.token_secret})


def _hub(folder: Path) -> ServerProcess:
    """It starts before the ledger and the broker."""
    settings = {"STOCKWIRE_LEDGER_URLS": "http://127.0.0.1:1", "STOCKWIRE_REDIS_URL": "redis://127.0.0.1:1"}
    return hub_process(
        "settled", folder, {**settings, "STOCKWIRE_HUB_KEY": "sw_x_y", "STOCKWIRE_TOKEN_SECRET": "x" * 32}
    )
