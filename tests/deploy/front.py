"""Programs of others that stand before ledgers and hubs, each with its file of deploy/, where only addresses differ."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.harness.children import die_with_parent
from tests.harness.processes import clean_environment
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

DEPLOY = ROOT / "deploy"
AS_ROOT = "user root; " if os.geteuid() == 0 else ""
"""Else nginx takes another user's rights, whom a test's folder does not let in."""


def placed(file: str, places: Mapping[str, str]) -> str:
    """The text of deploy/``file`` with each of ``places``, all of which it has, replaced."""
    text = (DEPLOY / file).read_text()
    for place, here in places.items():
        assert place in text, f"{file} does not name {place}"
        text = text.replace(place, here)
    return text


class Front:
    """A program that runs until ``stop``, which is safe twice. What it says is in ``log``."""

    def __init__(self, command: Sequence[str], folder: Path, variables: Mapping[str, object] | None = None) -> None:
        self.log = folder / f"{Path(command[0]).name}.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=clean_environment(variables or {}),
                preexec_fn=die_with_parent(signal.SIGKILL),
                start_new_session=True,
            )

    def assert_runs(self) -> None:
        assert self.process.poll() is None, self.log.read_text()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            finally:
                if self.process.poll() is None:
                    os.killpg(self.process.pid, signal.SIGKILL)
