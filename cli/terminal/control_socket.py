"""By which the console of a running `stockwire up` asks for what its keys do: a Unix socket in the data folder, which
only the folder's owner reaches. A line of JSON each way; what is refused to a key is refused here in the same words.
"""

import asyncio
import contextlib
import json
import logging
import os
from pathlib import Path
from typing import Any

from cli.terminal.controls import Controls
from cli.terminal.key_table import Action

LINE_BYTES_MAX = 1_024
LINE_WITHIN_S = 5.0
ACTS = {"flash-sale": Action.FLASH_SALE, "kill-hub": Action.KILL_HUB, "cut-broker": Action.CUT_BROKER}

logger = logging.getLogger("stockwire.up")


class ControlSocket:
    """``path``: in a folder that only its owner may enter."""

    def __init__(self, path: Path, controls: Controls) -> None:
        self._path = path
        self._controls = controls

    async def run(self) -> None:
        """Until cancelled."""
        self._path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, self._path, limit=LINE_BYTES_MAX)
        os.chmod(self._path, 0o600)
        async with server:
            await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(LINE_WITHIN_S):
                writer.write(json.dumps(self._answer(await reader.readline())).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError) as error:
            logger.debug("a question of the console was not answered reason=%r", error)
        finally:
            with contextlib.suppress(OSError):
                writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        """Raises ValueError for what is no question."""
        asked = json.loads(line)
        if asked == {"ask": "state"}:
            return self._controls.state()
        action = ACTS.get(str(asked.get("what"))) if isinstance(asked, dict) and asked.get("ask") == "act" else None
        if action is None:
            raise ValueError(f"not asked for here: {line!r}")
        refused = self._controls.begin(action)
        return {"refused": refused, "said": "" if refused else f"{action}: begun"}
