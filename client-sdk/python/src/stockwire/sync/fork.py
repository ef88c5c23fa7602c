"""A fork copies memory but no thread, and shares connections: what was made before fails in words, not in riddles."""

import os
import threading
from contextlib import suppress
from types import TracebackType


class ForkCheck:
    """``what``: as the error names it, such as "this client"."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._process = os.getpid()

    @property
    def forked(self) -> bool:
        return os.getpid() != self._process

    def __call__(self) -> None:
        """Raises RuntimeError in any process but the one that made it."""
        if self.forked:
            raise RuntimeError(
                f"{self._what} belongs to process {self._process}: after a fork, make another in the child"
            )


class OwnCondition(threading.Condition):
    """Of the process that made it: a fork's child could wait for ever for a lock that a thread of its parent held.

    Re-entrant, so that a signal handler may read what it has interrupted.
    """

    def __init__(self, check: ForkCheck) -> None:
        super().__init__(threading.RLock())
        self._check = check

    def __enter__(self) -> bool:
        self._check()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ctrl-C may end a wait while it has let go of the lock: then there is none to release, and Ctrl-C is told."""
        if raised is None:
            super().__exit__(kind, raised, traceback)
        else:
            with suppress(RuntimeError):
                super().__exit__(kind, raised, traceback)
