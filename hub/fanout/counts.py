"""What happens while levels are fanned out, counted where it happens and collected when somebody asks. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from server.histogram import Histogram

ERROR_CODES = ("invalid", "unknown-type", "forbidden", "not-found", "limit", "unauthorized", "unavailable")
"""Named here so that each is exported from the start: a rate over a series that has just appeared is nothing."""


@dataclass(slots=True)
class Counts:
    """Since the hub started, over all histories. docs/reference/metrics.md says what each one means.

    ``clock``: seconds, monotonic. ``errors``: by error code. Deliveries are counted once for all watchers of a level,
    not one by one.
    """

    clock: Callable[[], float] = lambda: 0.0
    deliveries: int = 0
    writes: int = 0
    level_bytes: int = 0
    conflated: int = 0
    subscribed: int = 0
    resumes_recovered: int = 0
    resumes_refused: int = 0
    snapshot_parts: int = 0
    snapshot_levels: int = 0
    snapshots: Histogram = field(default_factory=Histogram)
    given_up: int = 0
    errors: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ERROR_CODES, 0))
