"""A program as the foreground job of its terminal: keys, settings, what it prints. For screens: `pseudo_terminal`."""

import os
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.harness.waiting import PATIENCE_S

LOCAL_FLAGS = 3
WAIT_S = 90.0  # a start with its sample, on a machine that does other things too


class JobTerminal:
    """``with JobTerminal(argv, ...) as terminal``: at the end the program is killed if it still runs."""

    def __init__(self, argv: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> None:
        self._ours, theirs = os.openpty()
        self.before = self.settings
        # `setsid --ctty` would need util-linux: the shell opens the terminal by its name and so gets it
        opens = 'tty=$0; exec <"$tty" >"$tty" 2>&1; exec "$@"'
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", opens, os.ttyname(theirs), *argv],
            env={**environment, "TERM": "xterm", "COLUMNS": "120"},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._theirs = theirs  # kept open: the terminal outlives the program, as a real one does
        self.output = ""
        self._read = 0

    @property
    def settings(self) -> list[Any]:
        return termios.tcgetattr(self._ours)

    @property
    def takes_single_keys(self) -> bool:
        return not self.settings[LOCAL_FLAGS] & (termios.ICANON | termios.ECHO)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def expect(self, pattern: str, within_s: float = WAIT_S) -> re.Match[str]:
        """The next match behind the last one."""
        deadline = time.monotonic() + within_s
        while True:
            if found := re.compile(pattern).search(self.output, self._read):
                self._read = found.end()
                return found
            left = deadline - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self.output[self._read :]!r}"
            self.look(min(left, 0.5))

    def expect_all(self, patterns: Mapping[str, str], within_s: float = WAIT_S) -> dict[str, re.Match[str]]:
        """Matches behind the last one, in whatever order they come."""
        begin = self._read
        found = {}
        for name, pattern in patterns.items():
            self._read = begin
            found[name] = self.expect(pattern, within_s)
        self._read = max(match.end() for match in found.values())
        return found

    def until(self, single_keys: bool, within_s: float = 10.0) -> None:
        deadline = time.monotonic() + within_s
        while self.takes_single_keys is not single_keys:
            assert time.monotonic() < deadline, self.output
            self.look(0.05)

    def look(self, within_s: float) -> None:
        """Reads what there is; a program whose terminal nobody reads would wait for ever."""
        if select.select([self._ours], [], [], within_s)[0]:
            self.output += os.read(self._ours, 65536).decode(errors="replace").replace("\r\n", "\n")

    def wait(self) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while (status := self.process.poll()) is None:
            assert time.monotonic() < deadline, self.output
            self.look(0.05)
        return status

    def __enter__(self) -> "JobTerminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)
