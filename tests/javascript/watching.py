"""A node that watches with the JavaScript client, as a test's counterpart."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.harness.node import NODE, PACKAGE
from tests.harness.waiting import PATIENCE_S

SOURCE = PACKAGE / "src"
HERE = Path(__file__).parent


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

    async def agreement(self, versions: Mapping[str, int], state: str = "live") -> dict[str, Any]:
        """What it holds when it is live (or of this state) at these versions, or what it holds at last."""
        return await self.ask({"await": versions, "state": state})

    async def ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        return await self.line()


def node_watching(
    options: Mapping[str, object],
    token: str | None,
    *watch: Sequence[object],
    clients: int = 1,
    blocked: int | None = None,
    source: Path = SOURCE,
) -> AbstractAsyncContextManager[NodeWatcher]:
    """Ready. ``watch``: what is given to ``watch`` of the client."""
    asked = {"options": options, "token": token, "clients": clients, "watch": watch, "blocked": blocked}
    return _node("watching.mjs", {"source": str(source), **asked})


def node_tabs(
    options: Mapping[str, object], token: str, *watch: Sequence[Sequence[object]]
) -> AbstractAsyncContextManager[NodeWatcher]:
    """A tab for each of ``watch``: what it gives to ``watch`` of a client of its own."""
    return _node("tabs.mjs", {"source": str(SOURCE), "options": options, "token": token, "watch": watch})


@asynccontextmanager
async def _node(program: str, asked: Mapping[str, object]) -> AsyncIterator[NodeWatcher]:
    process = await asyncio.create_subprocess_exec(
        NODE,
        str(HERE / program),
        json.dumps(asked),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
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
