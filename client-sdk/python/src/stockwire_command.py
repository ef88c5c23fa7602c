"""The console script. A module of its own: it is there before the package, whose imports take a tenth of a second.

Ctrl-C in that time would print Python's traceback. Nothing is open yet that wants closing, so it ends the process.
"""

import gc
import os
import signal
from types import FrameType

EXIT_INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Ends the process."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else whoever started us has it ignored
        signal.signal(signal.SIGINT, _leave)
    gc.disable()  # no import leaves garbage: looking for it, and once more at the end, is an eighth of a short command
    from stockwire import cli

    cli.load()
    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGINT, before)
    cli.main()


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(EXIT_INTERRUPTED)
