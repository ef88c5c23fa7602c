"""One client, one event loop: what a client or a subscription holds belongs to the loop that used it first."""

import asyncio
import os


class HomeLoop:
    """``what``: as the error names it, such as "this AsyncClient".

    Connections wait in the loop that opened them: in another, of another thread or after a fork, about every other call
    would fail with "Event loop is closed", or wait for an answer that another process reads.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._home: tuple[asyncio.AbstractEventLoop, int] | None = None

    @property
    def elsewhere(self) -> bool:
        return self._home is not None and self._home != _here()

    def __call__(self) -> None:
        """Raises RuntimeError in any loop but the first that called this, and in a fork's child."""
        if self._home is None:
            self._home = _here()
        elif self.elsewhere:
            raise RuntimeError(
                f"{self._what} belongs to another event loop: one client, one loop. Make one with `async with "
                "AsyncClient()` inside each asyncio.run, thread and process, or use the blocking Client"
            )


def _here() -> tuple[asyncio.AbstractEventLoop, int]:
    return asyncio.get_running_loop(), os.getpid()
