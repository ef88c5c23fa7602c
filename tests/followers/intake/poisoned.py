"""``stockwire intake`` with a defect: whatever holds POISON ends the process before it is read, as a segfault would.

``python -m tests.followers.intake.poisoned FILE``: to the file it adds a byte for each command that it takes, so that
whoever kills it sees how far it is without taking any of its time.
"""

import os
import signal
import sys
from collections.abc import Callable

from followers.intake import applying
from followers.intake.__main__ import main
from followers.intake.answering import DELIVERIES_MAX
from stockwire.streams.cloud_event import CloudEvent

POISON = b"poison"
TAKEN = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT) if __name__ == "__main__" else -1


class Poisoned(applying.Applying):
    def enter(self, value: bytes, read: Callable[[], CloudEvent], deliveries: int) -> applying.Turn:
        os.write(TAKEN, b".")
        if POISON in value and deliveries <= DELIVERIES_MAX:
            read = _killed
        return super().enter(value, read, deliveries)


def _killed() -> CloudEvent:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


if __name__ == "__main__":
    from followers.intake import process

    vars(process)["Applying"] = Poisoned
    sys.exit(main())
