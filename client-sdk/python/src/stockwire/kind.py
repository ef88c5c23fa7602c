"""What a subscription is about: levels, what the public sees of them, or the crossings of a threshold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic

from stockwire import argument
from stockwire.availability import Availability
from stockwire.errors import Invalid
from stockwire.level import Level
from stockwire.stream import AvailabilityChanged, C, LevelChanged, ThresholdCrossed
from stockwire.threshold import AtLeast, AtMost, Threshold, crossed, settle
from stockwire.watched import T


def as_told(told: T, held: T | None) -> T:
    return told


@dataclass(frozen=True, slots=True)
class ViewKind(Generic[T, C]):
    """How one kind is asked for and read, and how its changes are told.

    ``message`` is the type of a message of its own, ``part`` its list in a snapshot, ``asks`` its members of
    ``subscribe``. ``resumes``: its snapshots end with a position. ``settle`` makes of what was told, and of what is
    known (None: nothing), what is to be held.

    ``crossed``: whether a change is an edge, if only edges are told; None: each change is. ``never`` makes of what was
    held what is held when nothing has ever been booked.
    """

    message: str
    part: str
    holds: type[T]
    parse: Callable[[Mapping[str, Any]], T]
    event: Callable[[T], C]
    never: Callable[[T], T]
    asks: Mapping[str, object] = field(default_factory=dict[str, object])
    resumes: bool = False
    settle: Callable[[T, T | None], T] = as_told
    crossed: Callable[[T | None, T], bool] | None = None

    def tells(self, before: T | None, now: T) -> bool:
        """Whether a change is an event of its own; ``before`` None: it has just come into being."""
        return before != now if self.crossed is None else self.crossed(before, now)


LEVELS = ViewKind("level", "levels", Level, Level.parse, LevelChanged, Level.never, resumes=True)
PUBLIC = ViewKind(
    "view", "views", Availability, Availability.parse, AvailabilityChanged, Availability.never, {"view": "public"}
)


def thresholds(when: AtMost | AtLeast, *, public: bool) -> ViewKind[Threshold, ThresholdCrossed]:
    """Raises Invalid."""
    if not isinstance(when, AtMost | AtLeast):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a checker
        raise Invalid("when", f"{when!r} is neither AtMost nor AtLeast")
    asks: dict[str, object] = {"view": "public"} if argument.flag("public", public) else {}
    asks["when"] = when.body()
    return ViewKind(
        "threshold",
        "thresholds",
        Threshold,
        Threshold.parse,
        ThresholdCrossed,
        Threshold.never,
        asks,
        settle=settle,
        crossed=crossed,
    )
