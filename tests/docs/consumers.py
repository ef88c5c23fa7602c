"""The two programs of docs/how-to/consume-changes.md, as somebody would run them, and what they hold."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

import asyncpg
from redis.asyncio import Redis

from tests.docs.pages import HOW_TOS, block
from tests.harness.children import die_with_parent
from tests.harness.processes import clean_environment
from tests.harness.waiting import PATIENCE_S

PAGE = next(page for page in HOW_TOS if page.name == "consume-changes.md")

Levels = dict[tuple[str, str], tuple[int, int]]
"""By location and sku: version, available."""


def text_of(name: str) -> str:
    """Of one of the programs, ``cache.py`` or ``table.py``."""
    return block(PAGE, "python", name)


class Consumer:
    """One of the programs, as often as it is started."""

    def __init__(self, name: str, folder: Path, settings: dict[str, str]) -> None:
        """``settings``: the variables that the page names."""
        self._program = folder / name
        self._program.write_text(text_of(name))
        self.settings = settings
        self._complaints = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, *words: str) -> None:
        with self._complaints.open("ab") as complaints:
            self._process = subprocess.Popen(
                [sys.executable, str(self._program), *words],
                env=clean_environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=complaints,
                stderr=complaints,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    def kill(self) -> None:
        """kill -9; safe if it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)

    def finished(self) -> int:
        """Waits for its end; its status."""
        assert self._process is not None
        return self._process.wait(PATIENCE_S)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def check(self) -> bool:
        """Raises AssertionError if it has ended by itself."""
        assert self.running, self.complaints()
        return True

    def complaints(self) -> str:
        return self._complaints.read_text(errors="replace")


async def cached_levels(cache: Redis) -> Levels:
    """``cache`` decodes responses."""
    found: Levels = {}
    async for key in cache.scan_iter("stock:*"):
        location, sku = key.removeprefix("stock:").split("/")
        held = await cache.hgetall(key)
        found[location, sku] = int(held["version"]), int(held["available"])
    return found


async def tabled(database: asyncpg.Connection) -> tuple[Levels, dict[int, list[int]]]:
    """Levels, and by shard the seqs of its changes in order."""
    rows = await database.fetch("select location, sku, version, available from stock")
    changes = await database.fetch("select shard, array_agg(seq order by seq) as seqs from stock_change group by 1")
    levels = {(row["location"], row["sku"]): (row["version"], row["available"]) for row in rows}
    return levels, {row["shard"]: row["seqs"] for row in changes}


def program_settings(kafka: str, prefix: str) -> dict[str, str]:
    return {"KAFKA": kafka, "PREFIX": prefix, "PATH": os.environ["PATH"]}
