"""`stockwire watch` as a person sees it, in a real terminal: what changed, a narrow window, a lost hub, Ctrl-C."""

import asyncio
import contextlib
import os
import signal

import pytest

from stockwire import AsyncClient
from tests.cli.running import PROGRAM, RunningUp
from tests.harness.pseudo_terminal import PseudoTerminal

pytestmark = pytest.mark.usefixtures("processes")

SKU = "watched"
"""Of these tests alone: the replay sells all others."""
NARROW = 40
CHANGES_MAX = 5
SEEN_WITHIN_S = 4.0


def ready(lines: list[str]) -> bool:
    return bool(lines) and "fresh" in lines[0] and any(line.startswith(SKU) for line in lines)


async def change(up: RunningUp) -> None:
    async with AsyncClient(up.run["ledger"], up.run["key"]) as client:
        await client.items.put(SKU, "An item that nobody else moves")
        await client.stock.receive(SKU, "shop", 7)


def marked_change(up: RunningUp, terminal: PseudoTerminal) -> list[str]:
    """The lines with a mark. It stands for a second only: on a busy machine no frame may fall into it."""
    for _ in range(CHANGES_MAX):
        asyncio.run(change(up))
        with contextlib.suppress(AssertionError):
            return terminal.wait_for(lambda lines: any("▲ +7" in line for line in lines), "a mark", SEEN_WITHIN_S)
    raise AssertionError(f"none of {CHANGES_MAX} changes was marked\n" + "\n".join(terminal.screen.lines()))


def test_a_change_is_seen_without_colours_in_any_size_and_ctrl_c_leaves_a_clean_screen(up: RunningUp) -> None:
    asyncio.run(change(up))
    command = [str(PROGRAM), "watch", "shop", SKU]
    # readline and some shells export the size that the window had then
    environment = {**up.environment(), "NO_COLOR": "1", "COLUMNS": "80", "LINES": "24"}
    with PseudoTerminal(command, environment) as terminal:
        terminal.wait_for(ready, "the level")
        lines = marked_change(up, terminal)
        style = terminal.screen.style_of(next(number for number, line in enumerate(lines) if line.startswith(SKU)))
        assert "7" in style.split(";"), "not reversed"
        assert not {"31", "32"} & set(style.split(";")), "coloured"
        terminal.resize(NARROW, 8)
        lines = terminal.wait_for(ready, "the level in a narrow window")
        assert len(lines) <= 8
        assert max(map(len, lines)) <= NARROW
        terminal.interrupt()
        assert terminal.wait() == 130
        assert not terminal.screen.alternate
        assert terminal.screen.lines() == []


def test_lost_hubs_are_seen_and_that_they_are_back(up: RunningUp) -> None:
    asyncio.run(change(up))
    before = up.run["pids"]
    with PseudoTerminal([PROGRAM, "watch", "shop", SKU], up.environment()) as terminal:
        terminal.wait_for(ready, "the level")
        os.kill(up.pid, signal.SIGSTOP)  # starts no hub before the loss was seen
        try:
            terminal.process.send_signal(signal.SIGSTOP)  # loses both hubs at once
            for name in ("hub-1", "hub-2"):
                os.kill(before[name], signal.SIGKILL)
            terminal.process.send_signal(signal.SIGCONT)
            terminal.wait_for(lambda lines: "; try " in lines[1], "the next try")
        finally:
            os.kill(up.pid, signal.SIGCONT)
        lines = terminal.wait_for(
            lambda lines: lines[1].startswith("back after ") and "fresh" in lines[0], "that it is back, and fresh"
        )
        assert "1 reconnect" in lines[0]
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM
        assert not terminal.screen.alternate
    asyncio.run(up.replaced(before, "hub-1", "hub-2"))
