"""What a subscription can hold: levels, or what a hub derives from them. The highest version is the newest."""

from typing import TYPE_CHECKING, TypeAlias

from stockwire.availability import Availability
from stockwire.level import Level
from stockwire.threshold import Threshold

Watched: TypeAlias = Level | Availability | Threshold

if TYPE_CHECKING:  # the default, so that `View` alone is one of levels, is of Python 3.13; every checker knows it
    from typing_extensions import TypeVar

    T = TypeVar("T", bound=Watched, default=Level)
else:
    from typing import TypeVar

    T = TypeVar("T", bound=Watched)
