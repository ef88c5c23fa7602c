"""A program in a pseudo-terminal, as a person would run it: what it shows, keys, a window that is resized."""

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.harness.terminal import Terminal
from tests.harness.waiting import PATIENCE_S

_READ_BYTES = 65_536


class PseudoTerminal:
    """Starts ``command`` in a terminal of its own; use as a context manager, which ends it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        columns: int = 80,
        rows: int = 24,
        folder: Path | None = None,
    ) -> None:
        self.screen = Terminal(columns, rows)
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._controller, terminal = pty.openpty()
        self._set_size(columns, rows)
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**environment, "TERM": "xterm-256color"},
            cwd=folder,
            start_new_session=True,
        )
        os.close(terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._controller)

    def wait_for(self, shows: Callable[[list[str]], bool], what: str, deadline_s: float = PATIENCE_S) -> list[str]:
        """The lines of the screen as soon as ``shows`` is true of them. Raises AssertionError with the last ones."""
        deadline = time.monotonic() + deadline_s
        while not shows(self.screen.lines()):
            left = deadline - time.monotonic()
            assert left > 0, f"not shown within {deadline_s} s: {what}\n" + "\n".join(self.screen.lines())
            assert self._read(left), f"ended without showing {what}\n" + "\n".join(self.screen.lines())
        return self.screen.lines()

    def wait(self, deadline_s: float = PATIENCE_S) -> int:
        """The exit status, once everything that was printed has been read."""
        deadline = time.monotonic() + deadline_s
        while self._read(max(0.0, deadline - time.monotonic())):
            assert time.monotonic() < deadline, "still running\n" + "\n".join(self.screen.lines())
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def interrupt(self) -> None:
        """As Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(columns, rows)
        self._set_size(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._controller, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self, timeout_s: float) -> bool:
        """False when the program has closed its terminal."""
        if not select.select([self._controller], [], [], min(timeout_s, 0.5))[0]:
            return self.process.poll() is None
        try:
            printed = os.read(self._controller, _READ_BYTES)
        except OSError:  # Linux says EIO when nobody has the terminal open any more
            return False
        self.screen.feed(self._decode(printed))
        return bool(printed)
