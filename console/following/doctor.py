"""`stockwire doctor` beside the console, now and then while somebody looks at what is wrong."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from server.settings.environment import EXIT_CONFIG

EVERY_S = 60.0
"""It starts a Python and asks everything once: no more often than what it finds can change."""
LOOK_EVERY_S = 1.0
WITHIN_S = 45.0
ANSWER_BYTES_MAX = 2**20
"""Of its report, and of what it says beside it: what goes on and on must not fill our memory."""
NOT_ITS = ("STOCKWIRE_CONSOLE_KEY", "STOCKWIRE_CONSOLE_KEY_FILE")
"""Not in its environment: it needs no key of the console's."""
_PART = 65_536
_NOT_HERE = "`stockwire doctor` is not installed beside this console"
_NOT_YET = "it was not asked yet: it is while somebody looks at this page"


class Doctor:
    """``program``: `stockwire`; None where it is not installed. ``found``: the newest report, as it prints it with
    ``--json``; ``found_s``: when that was, Unix time; ``why_not``: why there is none."""

    def __init__(self, program: Path | None, data: Path | None, looked_at: Callable[[], bool]) -> None:
        self._program = program
        self._data = data
        self._looked_at = looked_at
        self._asked_s: float | None = None
        self.found: dict[str, Any] | None = None
        self.found_s: float | None = None
        self.why_not: str | None = _NOT_YET if program else _NOT_HERE

    async def run(self) -> None:
        """Until cancelled."""
        while self._program is not None:
            if self._looked_at() and (self._asked_s is None or self._asked_s < time.monotonic() - EVERY_S):
                self._asked_s = time.monotonic()
                await self._ask(self._program)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _ask(self, program: Path) -> None:
        if self.found is None:
            self.why_not = "it is at work"
        arguments = ["doctor", "--read-only", "--json", *([] if self._data is None else ["--data", str(self._data)])]
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                str(program),
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={name: value for name, value in os.environ.items() if name not in NOT_ITS},
            )
        except OSError as error:
            self._nothing(f"it cannot be started: {error.strerror}")
            return
        try:
            async with asyncio.timeout(WITHIN_S):
                streams = process.stdout, process.stderr
                out, errors = await asyncio.gather(*(_bounded(process, stream) for stream in streams))
                await process.wait()
        except TimeoutError:
            self._nothing(f"it did not end within {WITHIN_S:.0f} s")
            return
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if max(len(out), len(errors)) > ANSWER_BYTES_MAX:
            self._nothing(f"it says more than {ANSWER_BYTES_MAX:,} bytes")
            return
        self._read(process.returncode, out, errors)

    def _read(self, status: int | None, out: bytes, errors: bytes) -> None:
        said = errors.decode(errors="replace").strip().rpartition("\n")[2].removeprefix("stockwire: ")
        if status == EXIT_CONFIG:
            self._nothing(f"it is not told enough here: {said}")
            return
        try:
            self.found = orjson.loads(out)
            self.found_s = time.time()
            self.why_not = None
        except ValueError:
            self._nothing(f"it ended with status {status}: {said or 'nothing said'}")

    def _nothing(self, why: str) -> None:
        self.found, self.found_s, self.why_not = None, None, why


async def _bounded(process: asyncio.subprocess.Process, stream: asyncio.StreamReader | None) -> bytes:
    """Until its end, or a little more than it may have. Whoever says more is ended, and read out: else its pipe stays
    open."""
    assert stream is not None, "it is a pipe"
    content = bytearray()
    while part := await stream.read(_PART):
        if len(content) <= ANSWER_BYTES_MAX:
            content += part
        elif process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    return bytes(content)
