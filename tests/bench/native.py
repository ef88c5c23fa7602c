"""Programs of the bench in C: where Python would cost more than what is measured. Built when they are needed."""

import shutil
import subprocess
from pathlib import Path

from tests.harness.source import ROOT

SOURCES = Path(__file__).with_name("c")
BUILT = ROOT / "build" / "bench"
WARNINGS = ("-Wall", "-Wextra", "-Werror")
HOW = "needs a C compiler (Debian: apt-get install gcc libc6-dev)"
BUILD_DEADLINE_S = 60.0


def has_compiler() -> bool:
    return shutil.which("cc") is not None


def built(name: str) -> Path:
    """The program of ``c/NAME.c``, built again if a source is newer."""
    source, program = SOURCES / f"{name}.c", BUILT / name
    newest = max(file.stat().st_mtime for file in SOURCES.iterdir())
    if not program.exists() or program.stat().st_mtime < newest:
        BUILT.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["cc", "-O2", "-std=gnu11", *WARNINGS, "-o", str(program), str(source)],
            check=True,
            timeout=BUILD_DEADLINE_S,
        )
    return program
