"""The console script. A module of its own: it is there before the package, whose imports take a fifth of a second.

Ctrl-C in that time would print Python's traceback. Nothing is open yet that wants closing, so it ends the process.
"""

import os
import signal
from types import FrameType

EXIT_INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Ends the process."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else whoever started us has it ignored
        signal.signal(signal.SIGINT, _leave)
    from stockwire import cli

    cli.load()
    signal.signal(signal.SIGINT, before)
    cli.main()


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(EXIT_INTERRUPTED)
