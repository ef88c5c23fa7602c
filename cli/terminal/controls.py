"""What the keys of a running `stockwire up` set off, and its console. Each has a task: none keeps the loop."""

import asyncio
import logging
import os
import re
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from cli.flash_sale.fault import FaultKind, fault_in
from cli.flash_sale.outage import break_part
from cli.launch import Launch, Watchdog, stop
from cli.running_system import RunningSystem, running_system
from cli.terminal.key_table import HELP, KILLS_MAX, WINDOW_S, Action, Turns, action_of
from cli.terminal.screen import Screen
from server.settings.environment import SettingsError
from stockwire.errors import StockwireError

FLASH_SALE_WITHIN_S = 300.0
SAID_MAX = 40
"""Notes that the console is shown; the terminal has them all."""
NOTE_CHARACTERS_MAX = 4_000
_STOP_WITHIN_S = 10.0
_POLL_S = 0.05

logger = logging.getLogger("stockwire.up")


class Controls:
    """``tasks``: where the work of keys lives; what fails there is said, and ends nothing else."""

    def __init__(
        self,
        data: Path,
        watchdog: Watchdog,
        screen: Screen,
        tasks: asyncio.TaskGroup,
        hubs: int,
        leave: Callable[[], None],
    ) -> None:
        self._data = data
        self._watchdog = watchdog
        self._screen = screen
        self._tasks = tasks
        self._leave = leave
        self._turns = Turns(hubs)
        self._said: deque[dict[str, str]] = deque(maxlen=SAID_MAX)
        self._work: dict[Action, Callable[[], Awaitable[None]]] = {
            Action.FLASH_SALE: self._flash_sale,
            Action.KILL_HUB: self._kill_hub,
            Action.CUT_BROKER: self._cut_broker,
        }

    def pressed(self, typed: str) -> None:
        action = action_of(typed)
        if action is Action.HELP:
            self._screen.note(HELP)
        elif action is Action.QUIT:
            self._leave()
        elif action is not None:
            self.begin(action)

    def begin(self, action: Action) -> str | None:
        """Why not, in words, which are said too; None: it is under way."""
        refused = self._turns.begin(action)
        if refused:
            self._say(f"! {refused}")
        else:
            self._tasks.create_task(self._do(action), name=action)
        return refused

    def state(self) -> dict[str, Any]:
        """What is under way, and what was said of late, the newest last."""
        return {"under_way": self._turns.under_way, "said": list(self._said)}

    def _say(self, text: str) -> None:
        self._screen.note(text)
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._said.append({"at": at, "text": _COLOURS.sub("", text)[:NOTE_CHARACTERS_MAX]})

    async def _do(self, action: Action) -> None:
        try:
            await self._work[action]()
        except (SettingsError, StockwireError, psutil.Error, OSError, TimeoutError) as error:
            self._say(f"! {action}: {error or type(error).__name__}")
        except Exception:
            logger.exception("an action has failed action=%s", action)
        finally:
            self._turns.end(action)

    async def _kill_hub(self) -> None:
        hub = self._turns.hub_to_kill(time.monotonic())
        if hub is None:
            self._say(f"! kill a hub: {KILLS_MAX} times within {WINDOW_S:.0f} s is enough, wait a little")
        else:
            await self._break(FaultKind.HUB, hub)

    async def _cut_broker(self) -> None:
        await self._break(FaultKind.BROKER)

    async def _break(self, kind: FaultKind, hub: int = 1) -> None:
        system = self._system()
        fault = fault_in(system, kind, hub)
        assert fault is not None
        self._say((await break_part(system, fault, system.location, self._say)).text())

    async def _flash_sale(self) -> None:
        """A process of its own: its hundred screens would be in the way of what is measured here."""
        log = self._data / "flash-sale.log"
        launch = Launch(
            name="flash-sale",
            argv=(str(Path(sys.executable).with_name("stockwire")), *_FLASH_SALE, "--data", str(self._data)),
            log=log,
            environment={"FORCE_COLOR": "1"} if self._screen.is_terminal else {},
            stop_timeout_s=_STOP_WITHIN_S,
        )
        begins = log.stat().st_size if log.exists() else 0
        self._say("Flash sale under way …")
        process = self._watchdog.spawn(launch)
        try:
            async with asyncio.timeout(FLASH_SALE_WITHIN_S):
                while process.poll() is None:  # noqa: ASYNC110 - a process is no event
                    await asyncio.sleep(_POLL_S)
        finally:
            await asyncio.to_thread(stop, process, launch)
        self._say(_text_from(log, begins))

    def _system(self) -> RunningSystem:
        return running_system(self._data)


_FLASH_SALE = ("demo", "flash-sale")
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
"""Of a terminal; a page would show them as they are."""


def _text_from(log: Path, begins: int) -> str:
    with log.open("rb") as file:
        file.seek(min(begins, os.fstat(file.fileno()).st_size))
        return file.read().decode(errors="replace").rstrip()
