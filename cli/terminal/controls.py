"""What the keys of a running `stockwire up` set off. Each has a task of its own: a key never keeps the loop."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

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
            refused = self._turns.begin(action)
            if refused:
                self._screen.note(f"! {refused}")
            else:
                self._tasks.create_task(self._do(action), name=action)

    async def _do(self, action: Action) -> None:
        try:
            await self._work[action]()
        except (SettingsError, StockwireError, psutil.Error, OSError, TimeoutError) as error:
            self._screen.note(f"! {action}: {error or type(error).__name__}")
        except Exception as error:
            logger.exception("%s failed: %s: %s", action, type(error).__name__, error)
        finally:
            self._turns.end(action)

    async def _kill_hub(self) -> None:
        hub = self._turns.hub_to_kill(time.monotonic())
        if hub is None:
            self._screen.note(f"! kill a hub: {KILLS_MAX} times within {WINDOW_S:.0f} s is enough, wait a little")
        else:
            await self._break(FaultKind.HUB, hub)

    async def _cut_broker(self) -> None:
        await self._break(FaultKind.BROKER)

    async def _break(self, kind: FaultKind, hub: int = 1) -> None:
        system = self._system()
        fault = fault_in(system, kind, hub)
        assert fault is not None
        self._screen.note((await break_part(system, fault, system.location, self._screen.note)).text())

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
        self._screen.note("Flash sale under way …")
        process = self._watchdog.spawn(launch)
        try:
            async with asyncio.timeout(FLASH_SALE_WITHIN_S):
                while process.poll() is None:  # noqa: ASYNC110 - a process is no event
                    await asyncio.sleep(_POLL_S)
        finally:
            await asyncio.to_thread(stop, process, launch)
        self._screen.note(_text_from(log, begins))

    def _system(self) -> RunningSystem:
        return running_system(self._data)


_FLASH_SALE = ("demo", "flash-sale")


def _text_from(log: Path, begins: int) -> str:
    with log.open("rb") as file:
        file.seek(min(begins, os.fstat(file.fileno()).st_size))
        return file.read().decode(errors="replace").rstrip()
