"""What an operation asks for whose lines follow from what is there: decided with its batch. Pure.

A movement says its lines itself. What becomes of a hold follows from its state, and where units of several places are
taken follows from what each has.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from ledger.commit.held import Bounds, Holder
from ledger.commit.hold import Hold
from ledger.commit.line import Line
from ledger.commit.stock import LevelKey, Stock


class Situation(Struct, frozen=True, gc=False):
    """What a plan is decided on. ``hold``: None if there is none of that id. ``moment``: by the database's clock, when
    the batch was begun; None unless a plan of it is ``timed``. ``bounds``: None if nothing limits what may be held.
    """

    stocks: Mapping[LevelKey, Stock]
    hold: Hold | None
    moment: datetime | None
    bounds: Bounds | None = None


class Planned(Struct, frozen=True, gc=False):
    """``lines``: at least one for each level that gets an event. ``hold``: after it; the very one that was given, if
    nothing becomes of it.
    """

    lines: Mapping[LevelKey, Sequence[Line]]
    hold: Hold


class Plan(Protocol):
    """``kind``: of its lines, as far as that is known before. ``levels``: all that it may touch. ``hold``: the id of
    the hold that it is about. ``timed``: it needs to know what time it is. ``holder``: who would hold more by it, or
    for longer; None: nobody, so that no limit is about it.
    """

    @property
    def kind(self) -> str: ...

    @property
    def levels(self) -> Sequence[LevelKey]: ...

    @property
    def hold(self) -> str: ...

    @property
    def timed(self) -> bool: ...

    @property
    def holder(self) -> Holder | None: ...

    def decide(self, situation: Situation) -> Planned:
        """Raises a Problem; what is a Refusal is stored."""
