"""``make flaky``: the process tier, again and again, beside processes that take every processor they are given.

A test may be slow there and not red. Ends with 1 as soon as a round failed, and keeps what it printed on the screen.
"""

import argparse
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness.children import die_with_parent

ROUNDS = 5
BUSY = 8
_SPIN = "while True: pass"


@contextmanager
def busy(number: int) -> Iterator[None]:
    """``number`` processes that compute and nothing else, politely, and end with this one."""
    command = ["nice", sys.executable, "-I", "-S", "-c", _SPIN]
    spinning = [subprocess.Popen(command, preexec_fn=die_with_parent(signal.SIGKILL)) for _ in range(number)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make flaky ARGS=", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often (default {ROUNDS})")
    parser.add_argument("--busy", type=int, default=BUSY, help=f"processes beside it (default {BUSY})")
    parser.add_argument("-m", "--tier", default="process", help="a mark of tests/harness/tiers.py (default process)")
    options = parser.parse_args()
    command = [sys.executable, "-m", "pytest", "-q", "-n", "3", "--dist", "loadfile", "-m", options.tier]
    with busy(options.busy):
        for number in range(1, options.rounds + 1):
            sys.stdout.write(f"round {number} of {options.rounds}\n")
            sys.stdout.flush()
            if status := subprocess.run(command, check=False).returncode:
                return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
