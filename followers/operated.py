"""What whoever operates this process sees of each of its parts: metrics, and what is wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.core import Metric

from server.metrics import Families

PREFIX = "stockwire_channels"
OURS = Families(PREFIX)
"""The metrics of this process."""
NAMED_MAX = 5
"""Of things that share a trouble; more would hide all else."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """``detail``: what is wrong, with its numbers, without a secret. ``fix``: what to do about it."""

    detail: str
    fix: str


class Operated(Protocol):
    """One part of the process."""

    async def refresh(self) -> None:
        """Reads what is counted in the database, for ``collect``; what cannot be read is left out there."""

    def collect(self) -> Iterator[Metric]:
        """Of ``OURS``. A metric with a label has all of its values from the start."""

    async def troubles(self) -> list[Trouble]:
        """What is wrong now: few, each of many things. ``stockwire doctor`` shows them."""


def named(names: Sequence[str], count: int | None = None) -> str:
    """The first ones, and how many more there are. ``count``: of all, if ``names`` are not all."""
    more = (len(names) if count is None else count) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
