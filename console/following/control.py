"""Asks the `stockwire up` that this console is part of to do what its keys do. One way to do a thing: its own.

A Unix socket in its data folder, which only the folder's owner reaches; a line of JSON each way.
"""

import asyncio
from pathlib import Path
from typing import Any

import orjson

DEADLINE_S = 2.0
LINE_BYTES_MAX = 2**18
LOOK_EVERY_S = 0.5
NOTHING: dict[str, Any] = {"under_way": [], "said": []}


class ControlAway(Exception):
    """Whoever runs the system does not answer."""


class Control:
    """``socket``: None where this console is not of an `up`: then there is nothing to ask."""

    def __init__(self, socket: Path | None) -> None:
        self._socket = socket
        self.state: dict[str, Any] | None = None if socket is None else NOTHING

    @property
    def of_up(self) -> bool:
        return self._socket is not None

    async def run(self) -> None:
        """Until cancelled: what is under way, and what was said of it."""
        while self._socket is not None:
            try:
                self.state = await self.ask({"ask": "state"})
            except ControlAway:
                self.state = NOTHING
            await asyncio.sleep(LOOK_EVERY_S)

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Raises ControlAway."""
        if self._socket is None:
            raise ControlAway("this console is not part of a `stockwire up`")
        try:
            async with asyncio.timeout(DEADLINE_S):
                reader, writer = await asyncio.open_unix_connection(self._socket, limit=LINE_BYTES_MAX)
                try:
                    writer.write(orjson.dumps(request) + b"\n")
                    answer: dict[str, Any] = orjson.loads(await reader.readline())
                finally:
                    writer.close()
        except (OSError, TimeoutError, ValueError) as error:
            raise ControlAway(f"`stockwire up` does not answer ({error or type(error).__name__})") from error
        return answer
