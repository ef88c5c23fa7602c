"""Debezium's engine in a process of its own: begun, stopped, killed, and what it tells."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.cdc import as_properties
from tests.harness.children import die_with_parent
from tests.harness.peers import need_peer
from tests.harness.processes import clean_environment
from tests.harness.waiting import PATIENCE_S, POLL_S

ENGINE = Path(__file__).with_name("engine.py")
NAME = "stockwire"
SAID_BYTES = 20_000
DUMPED_S = 10.0
"""For a JVM to write what its threads do."""


class RunningEngine:
    """``configuration``: as `stockwire cdc-config` prints it. Its offsets and what it told stand in ``folder``.
    ``runs``: how often it was started."""

    def __init__(self, folder: Path, configuration: Mapping[str, str], password: str) -> None:
        self._python = need_peer("debezium")
        if shutil.which("java") is None:
            pytest.skip("no java on this machine (Debian: apt-get install openjdk-17-jre-headless)")
        self._folder = folder
        self.runs = 0
        self._reading, self._read_bytes = 1, 0
        self._process: subprocess.Popen[bytes] | None = None
        given = {
            **configuration,
            "database.password": password,
            "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
            "offset.storage.file.filename": str(folder / "offsets"),
            "offset.flush.interval.ms": "1000",
        }
        (folder / "connector.properties").write_text(as_properties(NAME, given))

    def start(self) -> None:
        self.runs += 1
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._python, ENGINE, self._folder / "connector.properties", self._records(self.runs)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=clean_environment({}),
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    def kill(self) -> None:
        """SIGKILL, as a fault. Safe if it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def stop(self) -> None:
        """In order: offsets are written. Raises AssertionError if it fails, after a SIGKILL if it does not end."""
        assert self._process is not None
        try:
            self._process.communicate(timeout=PATIENCE_S)
        finally:
            self.kill()
        assert self._process.returncode == 0, self.said()

    def forget(self) -> None:
        """Where it was, as a connector whose offsets are removed."""
        (self._folder / "offsets").unlink()

    def check(self) -> None:
        """That it runs."""
        assert self._process is not None
        assert self._process.poll() is None, self.said()

    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-SAID_BYTES:]

    def has_said(self, text: str) -> int:
        """How often, since it was started."""
        return self._log.read_text(errors="replace").count(text)

    def dump_threads(self) -> None:
        """Into its log, as a JVM does at SIGQUIT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        deadline = time.monotonic() + DUMPED_S
        while "JNI global refs" not in self.said() and time.monotonic() < deadline:
            time.sleep(POLL_S)

    def records(self) -> Iterator[dict[str, Any]]:
        """Those that nobody has asked for yet, in the order in which they came, each run behind the one before; what
        was being written when it was killed is left out."""
        for run in range(self._reading, self.runs + 1):
            if run != self._reading:
                self._reading, self._read_bytes = run, 0
            if (file := self._records(run)).exists():
                with file.open("rb") as told:
                    told.seek(self._read_bytes)
                    lines, end, _ = told.read().rpartition(b"\n")
                self._read_bytes += len(lines) + len(end)
                yield from map(orjson.loads, lines.splitlines())

    def _records(self, run: int) -> Path:
        return self._folder / f"records-{run}.jsonl"

    @property
    def _log(self) -> Path:
        return self._folder / f"engine-{self.runs}.log"
