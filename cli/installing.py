"""One line that moves while pip installs, instead of hundreds that pass; the end of them, and the fix, when it fails.

    python -I cli/installing.py "what running needs" LOG COMMAND ...

The Makefile runs it before anything is installed: it imports nothing but the standard library. All that the command
prints goes to LOG. Where standard output is no terminal it is one line, when it begins.
"""

import collections
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

EXIT_CONFIG = 78  # as server.settings.environment has it, which is not installed yet
EXIT_INTERRUPTED = 130
LAST_LINES = 15
TICK_S = 1.0  # a large wheel takes a while, and a clock that moves says that we do not hang
FIX = (
    "stockwire: the packages cannot be installed (the reason stands above, {log}). There are wheels for "
    "Linux on x86_64 and aarch64 and for macOS, for Python 3.11 to 3.14: use one of these, or check the network"
)
_PIN = re.compile(r"^[A-Za-z0-9][\w.-]*==", re.MULTILINE)
_FETCHED = re.compile(r"^(?:Collecting|Requirement already satisfied:) ([\w.-]+)")
_QUIET = {"PIP_PROGRESS_BAR": "off", "PIP_NO_INPUT": "1", "PYTHONUNBUFFERED": "1"}  # nobody sees what it would ask


class Log:
    """All that is printed, in a file as long as it takes it. The last lines in any case: a full disk may be why."""

    def __init__(self, path: Path) -> None:
        self.last: collections.deque[str] = collections.deque(maxlen=LAST_LINES)
        self._path = path
        self._refused: OSError | None = None
        self._file: IO[bytes] | None = None
        try:
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            self._refused = error

    def add(self, line: bytes) -> None:
        self.last.append(line.decode(errors="replace").rstrip())
        try:
            if self._file is not None and self._refused is None:
                self._file.write(line)
        except OSError as error:
            self._refused = error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __str__(self) -> str:
        """Where the rest of it is."""
        if self._refused is None:
            return f"all of it in {self._path}"
        return f"the rest is lost: {self._path} cannot be written, {self._refused.strerror}"


class Progress:
    """What pip has told so far. ``pins``: how many packages the lock file names, some of them for other machines."""

    def __init__(self, pins: int) -> None:
        self._pins = pins
        self._fetched: set[str] = set()
        self._last = ""
        self._unpacking = False

    def read(self, line: str) -> None:
        if line.startswith("Ignoring "):
            self._pins -= 1
        elif found := _FETCHED.match(line):
            self._last = found[1]
            self._fetched.add(found[1])
        elif line.startswith("Installing collected packages"):
            self._unpacking = True

    def shown(self) -> str:
        if self._unpacking:
            return f"unpacking {max(len(self._fetched), 1)}"
        return f"{len(self._fetched)} of {self._pins}, {self._last}" if self._fetched and self._pins else "looking"


def main(what: str, log: str, *command: str) -> int:
    """The exit status: 0, or 78 for whatever the command's was."""
    began, terminal = time.monotonic(), sys.stdout.isatty()
    progress = Progress(pins_of(command))
    if not terminal:
        print(f"Installing {what} (once)", flush=True)
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **_QUIET},
        stdin=subprocess.DEVNULL,
    ) as process:
        kept = Log(Path(log))
        for line in _lines(process, kept):
            progress.read(line)
            if terminal:
                _show(f"  Installing {what} … {progress.shown()} ({time.monotonic() - began:.0f} s)")
    if terminal:
        _show("")
    if process.returncode:
        print("\n".join(kept.last), file=sys.stderr)
        print(FIX.format(log=kept), file=sys.stderr)
        return EXIT_CONFIG
    if terminal:
        print(f"✓ Installed {what} ({time.monotonic() - began:.0f} s)")
    return 0


def pins_of(command: Sequence[str]) -> int:
    """How many packages the file after ``-r`` names."""
    return len(_PIN.findall(Path(command[command.index("-r") + 1]).read_text())) if "-r" in command else 0


def _lines(process: "subprocess.Popen[bytes]", log: Log) -> Iterator[str]:
    """What it prints, as it comes, and an empty line each TICK_S in which nothing came."""
    printed: queue.SimpleQueue[bytes] = queue.SimpleQueue()  # as much as pip prints in all, which is some 100 KB

    def read() -> None:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                log.add(line)
                printed.put(line)
        finally:
            log.close()
            printed.put(b"")

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = printed.get(timeout=TICK_S)
        except queue.Empty:
            yield ""
            continue
        if not line:
            return
        yield line.decode(errors="replace").rstrip()


def _show(text: str) -> None:
    print(f"\r\x1b[2K{text[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows ASCII only
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
