"""`stockwire migrate` as a process, of the version whose newest schema is a given one, followed line by line."""

import asyncio
import json
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.harness.children import die_with_parent
from tests.harness.processes import ROOT, clean_environment
from tests.harness.waiting import PATIENCE_S
from tests.upgrades.scale.locks import Locks, PlannedStep, read_plan, strongest

_STEP = re.compile(r"\d+ step (\d+) of \d+: (.*)")
LINE_BYTES_MAX = 1_000_000
"""Of what it prints: one of a plan is as long as its SQL."""


@dataclass(slots=True)
class MadeStep:
    """``began`` and ``ended`` are monotonic. Of each of its transactions the locks; None: it was given up."""

    number: int
    does: str
    began: float
    ended: float = 0.0
    transactions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def locks(self) -> Locks:
        """In all of its transactions."""
        together: dict[str, list[str]] = {}
        for one in self.transactions:
            for table, modes in (one["locks"] or {}).items():
                together.setdefault(table, []).extend(modes)
        return strongest(together)

    @property
    def longest_s(self) -> float:
        """The longest that one of its transactions held its locks, at most."""
        return max((one["took_s"] for one in self.transactions), default=0.0)


class Version:
    """The ledger's code with the migrations up to ``revision``, in ``folder``. ``more``: one behind them."""

    def __init__(self, folder: Path, revision: str, more: Path | None = None) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "ledger", folder / "ledger", ignore=shutil.ignore_patterns("__pycache__"))
        for path in (folder / "ledger/migrations/versions").glob("[0-9]*.py"):
            if path.name.partition("_")[0] > revision:
                path.unlink()
        if more is not None:
            shutil.copy(more, folder / f"ledger/migrations/versions/{int(revision) + 1:04}_{more.name}")

    def environment(self, url: str) -> dict[str, str]:
        environment = clean_environment({"STOCKWIRE_DATABASE_URL": url})
        return {**environment, "PYTHONPATH": f"{self.folder}:{ROOT}"}

    async def plan(self, url: str, *arguments: str) -> list[PlannedStep]:
        """What `stockwire migrate --plan` says."""
        lines: list[str] = []
        await self._run(url, ["migrate", "--plan", *arguments], lines.append)
        return read_plan("\n".join(lines))

    async def migrate(self, url: str, *arguments: str) -> list[MadeStep]:
        """Runs `stockwire migrate` to its end. Raises AssertionError if it fails."""
        steps: list[MadeStep] = []

        def read(line: str) -> None:
            if steps:
                steps[-1].ended = time.monotonic()
            if line.startswith("{"):
                steps[-1].transactions.append(json.loads(line))
            elif step := _STEP.fullmatch(line):
                steps.append(MadeStep(int(step[1]), step[2], time.monotonic(), time.monotonic()))

        await self._run(url, ["migrate", *arguments], read)
        return steps

    async def _run(self, url: str, arguments: list[str], read: Callable[[str], None]) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.upgrades.scale.observed", *arguments),
            env=self.environment(url),
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LINE_BYTES_MAX,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
        assert process.stdout is not None
        printed = []
        try:
            async for line in process.stdout:
                printed.append(line.decode().rstrip("\n"))
                read(printed[-1])
            status = await asyncio.wait_for(process.wait(), PATIENCE_S)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert status == 0, "\n".join(printed[-20:])
