"""A bare server of the bench as a process: its port, its CPU time, its end."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO

import psutil

ROOT = Path(__file__).parent.parent.parent


class BareServer:
    """``python -m MODULE ARGUMENT``, which prints its port as its first line."""

    def __init__(self, module: str, argument: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(argument)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.pid = self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def __enter__(self) -> "BareServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)


def cpu_with_children_s(pid: int) -> float:
    """The same of a process, of all that it has started, and of those of them that it has buried."""
    own = psutil.Process(pid).cpu_times()
    buried = float(own.children_user + own.children_system)
    return cpu_s(pid) + buried + sum(cpu_s(child.pid) for child in psutil.Process(pid).children())


def cpu_s(pid: int) -> float:
    """User and system seconds a process has used so far, in clock ticks of 10 ms: measure over seconds."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
