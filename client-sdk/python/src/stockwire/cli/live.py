"""Drawing over and over on a terminal's other screen: whatever ends it, the screen is left as it was found."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

FRAMES_PER_S = 8
"""Faster than an eye follows numbers; slow enough for a terminal at the other end of a bad line."""


async def draw(console: Console, render: Callable[[int, int], Text], work: Coroutine[Any, Any, None]) -> None:
    """Until ``work`` ends, or raises. ``render`` gets the terminal's present width and height, in this event loop.

    The size is asked of the terminal for each frame: one that is resized has a frame of its new size an eighth of a
    second later.
    """
    following = asyncio.create_task(work, name="stockwire live work")
    try:
        with _ended_by_sigterm(), Live(console=console, screen=True, auto_refresh=False) as live:
            while not following.done():
                console.size = _size(console)
                live.update(render(console.width, console.height), refresh=True)
                await asyncio.wait([following], timeout=1 / FRAMES_PER_S)
        following.result()
    finally:
        following.cancel()
        await asyncio.wait([following])


def _size(console: Console) -> tuple[int, int]:
    """Of the terminal itself. rich believes COLUMNS and LINES, which stay as they are when a window is resized."""
    try:
        width, height = os.get_terminal_size(console.file.fileno())
    except OSError:
        return console.size
    if not width or not height:  # a pseudo-terminal that was never given a size
        return console.size
    return width - console.legacy_windows, height


@contextmanager
def _ended_by_sigterm() -> Generator[None]:
    """SIGTERM ends us as Ctrl-C does, with the screen put back, and with its own status."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
