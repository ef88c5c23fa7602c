"""Ends the processes of a parent that is gone, however it went: SIGKILL included.

Runs as a process of its own (``python watchdog.py``), imports nothing but the standard library and lives on a pipe: a
process started through ``cli.launch`` is announced by a line, and the pipe's end says that nobody is left to stop it.

    child <pid> <signal>    end this process: ``QUIT`` lets PostgreSQL take its own children along, ``KILL`` the rest
    remove <path>           remove this file or folder afterwards; a folder is locked until then
    terminal <settings>     JSON: ``path``, the settings ``ours`` and ``saved``: give it back if nobody else has

A pid is remembered with the process's start time, so a number that the system has given to somebody else is left alone.
"""

import contextlib
import fcntl
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any, NamedTuple

GRACE_S = 5.0  # PostgreSQL kills its own children 5 s after SIGQUIT; then the rest of it goes too
POLL_S = 0.02


class Child(NamedTuple):
    pid: int
    started: str
    signal: signal.Signals


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # they are meant for the parent, whom we outlive
        signal.signal(ignored, signal.SIG_IGN)
    children: list[Child] = []
    paths: list[Path] = []
    terminal = ""
    for line in map(os.fsdecode, sys.stdin.buffer):  # paths hold whatever bytes a folder was named by
        kind, _, rest = line.rstrip("\n").partition(" ")
        if kind == "remove":
            paths.append(Path(rest))
            hold(paths[-1])
        elif kind == "terminal":
            terminal = rest
        elif kind == "child":
            pid, _, name = rest.partition(" ")
            children = [*living(children), Child(int(pid), start_time(int(pid)), signal.Signals[f"SIG{name}"])]
    if terminal:
        give_back(**json.loads(terminal))
    end(children)
    remove(paths)


def give_back(path: str, ours: list[Any], saved: list[Any]) -> None:
    """Only as long as it is how we left it: a shell may have it by now, with settings of its own."""
    with contextlib.suppress(OSError, termios.error):
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            *flags, characters = termios.tcgetattr(descriptor)
            numbers = [ord(one) if isinstance(one, bytes) else one for one in characters]
            if [*flags, numbers] == ours:
                termios.tcsetattr(descriptor, termios.TCSANOW, saved)
        finally:
            os.close(descriptor)


def end(children: list[Child]) -> None:
    """Newest first, so that a hub goes before the database it reads."""
    for child in reversed(living(children)):
        _signal(child, child.signal)
    deadline = time.monotonic() + GRACE_S
    while (left := living(children)) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    for child in left:
        _signal(child, signal.SIGKILL)


def remove(paths: list[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def hold(path: Path) -> None:
    """As our parent holds its temporary folders (``cli.temporary_folder``): until we end, nobody takes it for a dead
    run's."""
    with contextlib.suppress(OSError):  # no folder, or gone
        fcntl.flock(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW), fcntl.LOCK_SH | fcntl.LOCK_NB)


def living(children: list[Child]) -> list[Child]:
    return [child for child in children if child.started and start_time(child.pid) == child.started]


def start_time(pid: int) -> str:
    """When the process began, as the system writes it; empty when there is none (a zombie counts as none)."""
    if platform.system() == "Linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = shown.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def _signal(child: Child, number: signal.Signals) -> None:
    """To the whole process group when the child leads one: a hub's workers go with it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number is signal.SIGKILL and os.getpgid(child.pid) == child.pid:
            os.killpg(child.pid, number)
        else:
            os.kill(child.pid, number)


if __name__ == "__main__":
    main()
