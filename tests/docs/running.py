"""Running what a page prints, as its reader would: in a folder of its own, with the installed programs on the PATH."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from tests.processes import clean_environment
from tests.system import System

DEADLINE_S = 60.0  # a block of several commands starts as many processes, on a machine that others use too
PROGRAMS = Path(sys.executable).parent


class Reader:
    """Somebody who follows a page in ``folder``, with what ``variables`` say. Pages name the addresses of a `make up`
    without options: ``ledger_url`` and ``stream_url`` are meant."""

    def __init__(self, folder: Path, variables: Mapping[str, object], ledger_url: str, stream_url: str) -> None:
        self.folder = folder
        self.variables = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", **variables}
        self._addresses = {"http://127.0.0.1:8080": ledger_url, "ws://127.0.0.1:8090/v1/stream": stream_url}

    @classmethod
    def of_system(cls, folder: Path, system: System, key: str) -> "Reader":
        """With ``key``, and the database and broker named as on a server."""
        variables = {
            "STOCKWIRE_DATABASE_URL": system.database_url,
            "STOCKWIRE_REDIS_URL": system.redis_url,
            "STOCKWIRE_CHANNEL_PREFIX": system.channel_prefix,
            "STOCKWIRE_TOKEN_SECRET": system.token_secret,
            "STOCKWIRE_URL": system.ledger_url,
            "STOCKWIRE_API_KEY": key,
        }
        run = {"ready": True, "ledger": system.ledger_url, "hubs": system.stream_urls, "key": key}
        (folder / ".stockwire").mkdir()
        (folder / ".stockwire" / "run.json").write_text(json.dumps(run, indent=1))
        return cls(folder, variables, system.ledger_url, system.stream_urls[0])

    async def shell(self, text: str) -> str:
        """What it prints. Raises AssertionError if any command fails."""
        return await self._finished(*self._bash(text))

    @contextlib.asynccontextmanager
    async def shell_running(self, text: str) -> AsyncIterator[asyncio.StreamReader]:
        """The lines of a command that runs until the context ends."""
        async with self._running(*self._bash(text)) as lines:
            yield lines

    async def python(self, text: str, *arguments: str) -> str:
        return await self._finished(str(self._program("snippet.py", text)), *arguments, by=sys.executable)

    @contextlib.asynccontextmanager
    async def python_running(self, text: str) -> AsyncIterator[asyncio.StreamReader]:
        """The lines of a program that runs until the context ends."""
        async with self._running(sys.executable, str(self._program("snippet.py", text))) as lines:
            yield lines

    @contextlib.asynccontextmanager
    async def script_running(self, node: list[str], text: str, **constants: str) -> AsyncIterator[asyncio.StreamReader]:
        """As ``python_running``, by node; ``constants`` are what the page leaves to its reader."""
        known = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in constants.items())
        async with self._running(*node, str(self._program("snippet.mjs", known + text))) as lines:
            yield lines

    def _bash(self, text: str) -> tuple[str, ...]:
        return "bash", "-euo", "pipefail", "-c", self._here(text)

    def _here(self, text: str) -> str:
        for printed, real in self._addresses.items():
            text = text.replace(printed, real)
        return text

    def _program(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(self._here(text))
        return path

    async def _finished(self, *command: str, by: str | None = None) -> str:
        async with self._started(*([by] if by else []), *command) as process:
            async with asyncio.timeout(DEADLINE_S):
                printed, complaints = await process.communicate()
        assert process.returncode == 0, complaints.decode()
        return printed.decode()

    @contextlib.asynccontextmanager
    async def _running(self, *command: str) -> AsyncIterator[asyncio.StreamReader]:
        async with self._started(*command) as process:
            assert process.stdout is not None
            yield process.stdout

    @contextlib.asynccontextmanager
    async def _started(self, *command: str) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.folder,
            env=clean_environment(self.variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def line_of(lines: asyncio.StreamReader) -> str:
    """The next line printed."""
    async with asyncio.timeout(DEADLINE_S):
        line = await lines.readline()
    assert line, "it has ended"
    return line.decode().strip()


def node_command() -> list[str] | None:
    """A node that knows WebSocket, as browsers do: 22 or later, or 20.10 when asked. None if there is none."""
    program = shutil.which("node")
    if program is None:
        return None
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", shown)[:2])
    if version >= (22, 0):
        return [program]
    return [program, "--no-warnings", "--experimental-websocket"] if version >= (20, 10) else None
