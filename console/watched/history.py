"""The last minutes, a point a second, for charts. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

POINTS_MAX = 600
EVERY_S = 1


@dataclass(frozen=True, slots=True)
class Point:
    """None: not known then, which is a gap in the line."""

    at: str
    sold_per_s: float | None = None
    changes_per_s: float | None = None
    refused_per_s: float | None = None
    problems_per_s: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None

    def fields(self) -> dict[str, Any]:
        return asdict(self)


class History:
    def __init__(self) -> None:
        self._points: deque[Point] = deque(maxlen=POINTS_MAX)

    def add(self, point: Point) -> None:
        self._points.append(point)

    @property
    def newest(self) -> Point | None:
        return self._points[-1] if self._points else None

    @property
    def points(self) -> Sequence[Point]:
        return tuple(self._points)
