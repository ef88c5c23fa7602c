"""A node that watches with the JavaScript client, as a test's counterpart."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.harness.node import NODE, PACKAGE
from tests.harness.waiting import PATIENCE_S

SOURCE = PACKAGE / "src"
PROGRAM = Path(__file__).with_name("watching.mjs")


class NodeWatcher:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(2 * PATIENCE_S):
            line = await self._process.stdout.readline()
        assert line, "node ended: see what it wrote to standard error"
        read: dict[str, Any] = json.loads(line)
        return read

    async def agreement(self, versions: Mapping[str, int]) -> dict[str, Any]:
        """What it holds when it is live at these versions, or what it holds at last."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"await": versions}).encode() + b"\n")
        return await self.line()


@asynccontextmanager
async def node_watching(
    options: Mapping[str, object],
    token: str | None,
    *watch: Sequence[object],
    clients: int = 1,
    source: Path = SOURCE,
) -> AsyncIterator[NodeWatcher]:
    """Ready. ``watch``: what is given to ``watch`` of the client."""
    asked = json.dumps({"source": str(source), "options": options, "token": token, "clients": clients, "watch": watch})
    process = await asyncio.create_subprocess_exec(
        NODE, str(PROGRAM), asked, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        watcher = NodeWatcher(process)
        await watcher.line()
        yield watcher
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            status = await process.wait()
        assert status == 0, f"node ended with {status}"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
