"""What was done since the process started. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """``taken``: commands delivered; ``redelivered``: of these, those that had been before. ``done``, ``refused``: what
    the ledger decided; ``dead``: laid aside. ``later``: answers of the ledger that asked to wait. ``reconnected``:
    times that the broker had to be reached anew."""

    taken: int = 0
    redelivered: int = 0
    done: int = 0
    refused: int = 0
    dead: int = 0
    later: int = 0
    reconnected: int = 0
