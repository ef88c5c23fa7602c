"""Single keys from the terminal that we were started on, without ever taking it from somebody else.

The terminal is changed (no echo, no waiting for Enter; Ctrl-C and Ctrl-Z mean what they always do) only while we are
its foreground job, and given back before we end or are suspended; should we be killed, the watchdog gives it back. In
the background nothing is read: a shell that has the terminal gets every key.
"""

import asyncio
import logging
import os
import signal
import termios
from collections.abc import Callable
from typing import Any

from cli.launch import Watchdog

LOOK_EVERY_S = 0.5  # `fg` of a job that runs in the background sends no signal
READ_BYTES = 256
_LOCAL_FLAGS = 3
_IGNORED = (signal.SIGTTIN, signal.SIGTTOU)
_HANDLED = (signal.SIGTSTP, signal.SIGCONT)

Attributes = list[Any]

logger = logging.getLogger("stockwire.up")


class Keyboard:
    """``path``: the terminal's. ``pressed`` is called in the event loop with what one read gave, ``resumed`` after a
    suspension."""

    def __init__(
        self, path: str, watchdog: Watchdog, pressed: Callable[[str], None], resumed: Callable[[], None]
    ) -> None:
        self._path = path
        self._descriptor = -1
        self._watchdog = watchdog
        self._pressed = pressed
        self._resumed = resumed
        self._saved: Attributes | None = None
        self._ours: Attributes | None = None
        self._listening = False

    async def run(self) -> None:
        """Until cancelled, or until the terminal is gone. The main thread's loop only: it handles signals."""
        # Opened anew: a loop makes what it reads non-blocking, and standard input is shared with output and the shell
        try:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            logger.warning("keys are not taken reason=%r", str(error))
            return
        # Using it from the background: an error instead of being stopped
        before = {number: signal.signal(number, signal.SIG_IGN) for number in _IGNORED}
        self._handle_signals()
        try:
            while os.isatty(self._descriptor):
                self._look()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self.restore()
            for number in _HANDLED:
                asyncio.get_running_loop().remove_signal_handler(number)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(self._descriptor)

    def _handle_signals(self) -> None:
        for number, handler in zip(_HANDLED, (self._suspend, self._continue), strict=True):
            asyncio.get_running_loop().add_signal_handler(number, handler)

    def restore(self) -> None:
        """Gives the terminal back as it was. Safe if it was never taken, safe twice."""
        if not self._listening:
            return
        self._leave()
        if self._in_foreground() and self._saved is not None:
            _set(self._descriptor, self._saved)

    def _look(self) -> None:
        if not self._in_foreground():
            self._leave()  # and the terminal's settings are its new owner's affair
        elif not self._listening:
            self._enter()

    def _enter(self) -> None:
        try:
            now = _numbers(termios.tcgetattr(self._descriptor))
        except termios.error:
            return
        if now != self._ours:  # else: stopped from outside, and whoever had the terminal meanwhile left it as it was
            self._saved, self._ours = now, _single_keys(now)
        assert self._saved is not None
        assert self._ours is not None
        self._watchdog.keep_terminal(self._path, self._ours, self._saved)
        _set(self._descriptor, self._ours)
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        self._listening = True

    def _leave(self) -> None:
        if self._listening:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self._listening = False

    def _read(self) -> None:
        if not self._in_foreground():
            self._leave()
            return
        try:
            typed = os.read(self._descriptor, READ_BYTES)
        except OSError:  # the terminal went to somebody else, or away, this very moment
            typed = b""
        if typed:
            self._pressed(typed.decode(errors="replace"))
        else:
            self._leave()

    def _in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:
            return os.isatty(self._descriptor)  # a terminal without job control is ours alone

    def _suspend(self) -> None:
        """By the signal's own default: where no shell could ever continue us, it does not stop us."""
        self.restore()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTSTP)
        os.kill(os.getpid(), signal.SIGTSTP)
        self._handle_signals()
        self._continue()

    def _continue(self) -> None:
        """A shell may have changed the terminal while we were stopped, whether or not we gave it back before."""
        self._leave()
        self._look()
        self._resumed()


def _single_keys(attributes: Attributes) -> Attributes:
    changed = list(attributes)
    changed[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
    return changed


def _set(descriptor: int, attributes: Attributes) -> None:
    """At once: waiting for output to drain could take for ever (Ctrl-S)."""
    try:
        termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
    except termios.error:
        return  # the terminal is gone: nothing to set


def _numbers(attributes: Attributes) -> Attributes:
    """For JSON, and to compare: two of the characters are read as bytes or as numbers, as ICANON is set or not."""
    return [*attributes[:-1], [ord(one) if isinstance(one, bytes) else one for one in attributes[-1]]]
