"""How much of a core one thread of a process had, moment by moment: Linux says so, to a tick of some ms.

A browser judges a task by the clock. Where more wants to run than there are cores, it counts as long what only waited.
"""

import contextlib
import os
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from types import TracebackType

EVERY_S = 0.004
"""About a tick of Linux: it adds up no more often."""
LINE_BYTES_MAX = 100
"""Three numbers."""

Moment = tuple[float, float]
"""Unix time, and ms of CPU until then."""


class MainThread:
    """Use as ``with``: looked at from its beginning to its end."""

    def __init__(self, pid: int) -> None:
        self._opened = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY)
        self._moments: list[Moment] = []
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._keep_looking, name="main thread")

    def __enter__(self) -> "MainThread":
        self._look()
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._looking.join()
        self._look()
        os.close(self._opened)

    @property
    def whole_ms(self) -> float:
        return self._moments[-1][1] - self._moments[0][1]

    def cpu_ms(self, began_s: float, ended_s: float) -> float:
        return cpu_at(self._moments, ended_s) - cpu_at(self._moments, began_s)

    def _keep_looking(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._look()

    def _look(self) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has ended, and has all that it will have
            cpu_ns, *_ = os.pread(self._opened, LINE_BYTES_MAX, 0).split()
            self._moments.append((time.time(), int(cpu_ns) / 1e6))


def cpu_at(moments: Sequence[Moment], at_s: float) -> float:
    """Evenly between two looks; before the first and after the last as they are."""
    place = bisect_right(moments, at_s, key=lambda moment: moment[0])
    if place in (0, len(moments)):
        return moments[max(0, place - 1)][1]
    (before_s, before_ms), (after_s, after_ms) = moments[place - 1], moments[place]
    return before_ms + (after_ms - before_ms) * (at_s - before_s) / (after_s - before_s)
