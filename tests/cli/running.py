"""A real `stockwire up`, as its console script, on free ports."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.harness.waiting import PATIENCE_S, wait_until

PROGRAM = Path(sys.executable).with_name("stockwire")
READY_WITHIN_S = 90.0
POLL_S = 0.05


class RunningUp:
    """``folder`` holds ``data`` and what was printed. ``run``: run.json as it stands now. ``program``: to start."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        program: Sequence[str | Path] = (PROGRAM,),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data = folder / "data"
        self.printed = folder / "printed"
        self._arguments = arguments
        self._program = program
        self._settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def run(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.data / "run.json").read_text())
        return content

    @property
    def output(self) -> str:
        return self.printed.read_text()

    def environment(self) -> dict[str, str]:
        """For commands that mean this system."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("STOCKWIRE_")}
        return {**own, "STOCKWIRE_DATA": str(self.data), **self._settings}

    def start(self) -> "RunningUp":
        """Returns when run.json says ready."""
        with self.printed.open("wb") as printed:
            self._process = subprocess.Popen(
                [*self._program, "up", "--data", str(self.data), "--port", "0", *self._arguments],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while not (self.data / "run.json").exists():
            assert self._process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(POLL_S)
        return self

    def printed_line(self, words: str) -> str:
        """The first whole line with these words: what `up` says of itself comes after run.json."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            *lines, _ = self.output.split("\n")
            if found := [line.strip() for line in lines if words in line]:
                return found[0]
            assert time.monotonic() < deadline, self.output
            time.sleep(POLL_S)

    def processes(self) -> list[psutil.Process]:
        parent = psutil.Process(self.pid)
        return [parent, *parent.children(recursive=True)]

    async def replaced(self, before: Mapping[str, int], *names: str) -> None:
        """Until run.json has new processes of ``names`` in the place of those in ``before``."""

        async def all_new() -> bool:
            now = self.run["pids"]
            return all(now.get(name, before[name]) != before[name] for name in names)

        await wait_until(all_new, PATIENCE_S, what=f"new pids of {', '.join(names)}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit status. Safe if it was never started or has ended."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(PATIENCE_S)

    def command(self, *arguments: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Another `stockwire` command on this system."""
        return subprocess.run(
            [PROGRAM, *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


def gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Who is still there after PATIENCE_S: nobody, if all is well."""
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_S)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
