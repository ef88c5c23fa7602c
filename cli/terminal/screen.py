"""What `stockwire up` shows: stages with their times, notes, one live line; plain lines where there is no terminal."""

import logging
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

PARTED_BY = " · "
PLAIN_EVERY_S = 5.0  # how often the live line is printed where it cannot be overwritten


class Screen(logging.Handler):
    """Also a logging handler: records appear above the live line."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        super().__init__()
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that knows ASCII only shows "?" for "✓"
        self._stream: TextIO | None = stream
        self._terminal = stream.isatty()
        self._live = ""
        self._plain_at = 0.0

    @property
    def is_terminal(self) -> bool:
        return self._terminal

    @contextmanager
    def stage(self, text: str) -> Iterator[None]:
        began = time.monotonic()
        if self._terminal:
            self.live(f"  {text} …")
        try:
            yield
        except BaseException:
            self.clear()
            raise
        self.note(f"✓ {text} ({time.monotonic() - began:.1f} s)")

    def live(self, text: str) -> None:
        """Replaces the last live line."""
        if self._terminal:
            self._live = fitted(text, shutil.get_terminal_size().columns - 1)
            self._write(f"\r\x1b[2K{self._live}")
        elif time.monotonic() >= self._plain_at + PLAIN_EVERY_S:
            self._plain_at = time.monotonic()
            self._write(f"{text}\n")

    def redraw(self) -> None:
        """The live line again: a shell has written over it."""
        if self._terminal:
            self._write(f"\r\x1b[2K{self._live}")

    def clear(self) -> None:
        """Takes the live line away."""
        if self._terminal and self._live:
            self._write("\r\x1b[2K")
        self._live = ""

    def note(self, text: str) -> None:
        """Stays on the screen. Ends a stage's line, leaves the live line below."""
        if not self._terminal:
            self._write(f"{text}\n")
            return
        live, self._live = self._live, ""
        again = "" if live.startswith("  ") else live
        self._write(f"\r\x1b[2K{text}\n{again}")
        self._live = again

    def emit(self, record: logging.LogRecord) -> None:
        """One line, of a failure with a traceback too."""
        reason = f": {record.exc_info[1]!r}" if record.exc_info and record.exc_info[1] else ""
        self.note(f"! {record.getMessage().strip()}{reason}")

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None  # the reader has gone (`stockwire up | head`); the system goes on until it is stopped


def fitted(text: str, columns: int) -> str:
    """As many leading parts as fit, each whole: a figure that is cut reads as another one."""
    if len(text) <= columns:
        return text
    whole, parted, _ = text[: columns + len(PARTED_BY)].rpartition(PARTED_BY)
    return whole if parted else text[:columns]
