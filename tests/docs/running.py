"""Running what a page prints, as its reader would: in a clone's folder, in terminals that know nothing of Stockwire."""

import asyncio
import contextlib
import copy
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from cli.data_folder import DataFolder
from tests.harness.node import NODE, PACKAGE
from tests.harness.processes import clean_environment
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

PROGRAMS = Path(sys.executable).parent


class Reader:
    """Somebody who follows a page in ``folder``, made a clone: with an installed `.venv`, and a `.stockwire`, which is
    ``data`` of a running `stockwire up`. ``variables`` is what a terminal knows. On its PATH is no `stockwire`, and
    no STOCKWIRE_ variable is set, unless the page's own lines see to it, or a test puts there what it names.

    Pages name the addresses of a `make up` without options; ``ledger_url`` and ``stream_urls`` are meant. What a page's
    script loads from the shop's own server, node takes from where it lies.
    ``meant``: more of what is meant by what a page says, such as other ports.
    ``ends_with``: one after the other, what is sent to a program that is no longer needed.
    """

    ends_with: tuple[signal.Signals, ...] = (signal.SIGKILL,)

    def __init__(self, folder: Path, data: Path, ledger_url: str, stream_urls: Sequence[str]) -> None:
        self.folder = folder
        (folder / ".venv").symlink_to(PROGRAMS.parent)
        (folder / ".stockwire").symlink_to(data)
        self.variables: dict[str, str] = {"PATH": _path_without_ours()}
        hubs = {f"ws://127.0.0.1:{8090 + 10 * number}/v1/stream": url for number, url in enumerate(stream_urls)}
        served = {'import("/client/': f'import("{PACKAGE.as_uri()}/src/'}
        self._addresses = {"http://127.0.0.1:8080": ledger_url, **hubs, **served}
        self.meant: dict[str, str] = {}

    @classmethod
    def of_system(cls, folder: Path, system: System, key: str) -> "Reader":
        """As if ``system`` were that of a `stockwire up`."""
        data, clone = DataFolder(folder / "data"), folder / "clone"
        data.path.mkdir()
        clone.mkdir()
        data.write_run({"ready": True, "ledger": system.ledger_url, "hubs": system.stream_urls, "key": key})
        data.write_environment(server_settings(system))
        return cls(clone, data.path, system.ledger_url, system.stream_urls)

    async def shell(self, text: str) -> str:
        """What it prints. What it exports stays, its functions, and where it went. Raises AssertionError if any command
        fails."""
        kept = self.folder / ".exported"
        keep = f"export -f $(compgen -A function) > /dev/null\nenv -0 > {kept}"
        printed = await self._finished(*self._bash(f"{text}\n{keep}\n"))
        pairs = (pair.partition("=") for pair in kept.read_text().split("\0") if pair)
        self.variables.update({name: value for name, _, value in pairs})
        return printed

    def another_terminal(self) -> "Reader":
        """In the same folder; it knows nothing of what was exported in this one."""
        other = copy.copy(self)
        other.variables = {"PATH": _path_without_ours()}
        return other

    @contextlib.asynccontextmanager
    async def shell_running(self, text: str) -> AsyncIterator[asyncio.StreamReader]:
        """The lines of a command that runs until the context ends."""
        async with self._running(*self._bash(text)) as lines:
            yield lines

    @contextlib.asynccontextmanager
    async def python_running(self, text: str) -> AsyncIterator[asyncio.StreamReader]:
        """The lines of a program that runs until the context ends."""
        async with self._running(sys.executable, str(self._program(".py", text))) as lines:
            yield lines

    @contextlib.asynccontextmanager
    async def script_running(self, text: str, **constants: str) -> AsyncIterator[asyncio.StreamReader]:
        """As ``python_running``, by node; ``constants`` are what the page leaves to its reader."""
        known = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in constants.items())
        async with self._running(NODE, str(self._program(".mjs", known + text))) as lines:
            yield lines

    def _bash(self, text: str) -> tuple[str, ...]:
        return "bash", "-euo", "pipefail", "-c", self.here(text)

    def here(self, text: str) -> str:
        """With the addresses that are meant."""
        for printed, real in (self._addresses | self.meant).items():
            text = text.replace(printed, real)
        return text

    def _program(self, suffix: str, text: str) -> Path:
        path = self.folder / f"snippet-{secrets.token_hex(4)}{suffix}"
        path.write_text(self.here(text))
        return path

    async def _finished(self, *command: str) -> str:
        async with self._started(*command) as process:
            async with asyncio.timeout(PATIENCE_S):
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
            cwd=self.variables.get("PWD", self.folder),
            env=clean_environment(self.variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            for number in self.ends_with:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)  # a shell does not take its program with it
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE_S):
                        await process.wait()


def server_settings(system: System) -> dict[str, str]:
    """As every ledger and hub of the system is told them."""
    return {
        "STOCKWIRE_DATABASE_URL": system.database_url,
        "STOCKWIRE_REDIS_URL": system.redis_url,
        "STOCKWIRE_CHANNEL_PREFIX": system.channel_prefix,
        "STOCKWIRE_TOKEN_SECRET": system.token_secret,
    }


def _path_without_ours() -> str:
    return ":".join(folder for folder in os.environ["PATH"].split(":") if Path(folder).resolve() != PROGRAMS.resolve())


async def line_of(lines: asyncio.StreamReader) -> str:
    """The next line printed."""
    async with asyncio.timeout(PATIENCE_S):
        line = await lines.readline()
    assert line, "it has ended"
    return line.decode().strip()
