"""The processes that a test run starts: they die with it, and none may be left behind."""

import contextlib
import ctypes
import os
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

SESSION_VARIABLE = "STOCK_TEST_SESSION"
"""Marks every descendant of this test run, also one whose parent was killed. Not STOCKWIRE_*: those are checked."""
_RUN_ID = os.environ.get(SESSION_VARIABLE) or secrets.token_hex(8)
SESSION_ID = "-".join(filter(None, [_RUN_ID, os.environ.get("PYTEST_XDIST_WORKER")]))
"""One for each worker of a run: none takes another's processes for orphans."""

GRACE_S = 5.0
"""For children of what was killed to notice it."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(signal_number: int) -> Callable[[], None]:
    """For ``preexec_fn``: the child gets this signal when its parent dies, however it dies (Linux only).

    The parent is the thread that started it: start nothing from a thread that ends before the child should.
    """

    def arrange() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal_number)

    return arrange


def left_behind(folder: Path, grace_s: float = GRACE_S) -> list[str]:
    """Every process that descends from this run, carries its mark, or names ``folder``, and does not end in time.

    They are killed; their command lines with pids are returned.
    """
    deadline = time.monotonic() + grace_s
    while (found := ours(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    described = [_describe(process) for process in found]
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return described


def ours(folder: Path) -> list[psutil.Process]:
    """Running processes of this test run, the servers that it still needs included."""
    own = psutil.Process()
    ancestors = {own.pid, *(parent.pid for parent in own.parents())}
    descendants = {child.pid for child in own.children(recursive=True)}
    return [
        process
        for process in psutil.process_iter()
        if process.pid not in ancestors and (process.pid in descendants or _is_ours(process, folder)) and _runs(process)
    ]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _is_ours(process: psutil.Process, folder: Path) -> bool:
    try:
        marked = process.environ().get(SESSION_VARIABLE) == SESSION_ID
        return marked or any(str(folder) in part for part in process.cmdline())
    except (psutil.Error, OSError):
        return False


def _describe(process: psutil.Process) -> str:
    try:
        return f"{process.pid}: {' '.join(process.cmdline()) or process.name()}"
    except (psutil.Error, OSError):
        return f"{process.pid}, which has just ended"
