"""Another user, for tests run as root: one who may start this Python, wherever it and the clone stand."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from cli.places import closed_parent
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

STRANGER = 65_534
BECOME = ("setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", "--")


def require_root() -> None:
    """Skips the test, or fails it where STOCKWIRE_REQUIRE_FAULTS says so."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        give_up("nobody becomes another user here: not root, or no setpriv")


def give_up(reason: str) -> NoReturn:
    if os.environ.get("STOCKWIRE_REQUIRE_FAULTS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def as_stranger(folder: Path) -> tuple[str, ...]:
    """What goes before a command so that another user runs it, with this Python and this clone at their own paths.

    Where they stand in a folder that is closed, root's home for instance, the command sees another in its place that
    holds nothing else and is open: mounted for it alone, in ``folder``'s empty folders first. Nobody's folder is
    opened. Skips the test where that cannot be done, or fails it where STOCKWIRE_REQUIRE_FAULTS says so.
    """
    require_root()
    prefix = (*_opened(folder), *BECOME)
    command = [*prefix, sys.executable, "-c", "import cli.embedded"]
    tried = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if tried.returncode:
        give_up(
            "another user cannot start this Python, and no mount may be made that opens its folder (in a container: "
            f"--cap-add SYS_ADMIN), or files of this clone are closed (umask): {tried.stderr.strip()[-500:]}"
        )
    return prefix


def _opened(folder: Path) -> tuple[str, ...]:
    paths = dict.fromkeys(Path(path).resolve() for path in (sys.base_prefix, sys.prefix, ROOT))
    closed = {path: parent for path in paths if (parent := closed_parent(path))}
    if not closed:
        return ()
    lines = ["set -e", "umask 022"]
    for number, path in enumerate(closed):
        (folder / str(number)).mkdir(exist_ok=True)
        lines.append(shlex.join(["mount", "--rbind", str(path), str(folder / str(number))]))
    lines += [f"mount -t tmpfs -o mode=755 none {shlex.quote(str(parent))}" for parent in {*closed.values()}]
    for number, path in enumerate(closed):
        lines.append(shlex.join(["mkdir", "-p", str(path)]))
        lines.append(shlex.join(["mount", "--rbind", str(folder / str(number)), str(path)]))
    return ("unshare", "--mount", "sh", "-c", "\n".join([*lines, 'cd "$PWD"', 'exec "$@"']), "sh")
