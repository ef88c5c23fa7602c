"""How large campaigns are: ``make campaign`` runs them whole, ``make test`` a fifth of each.

A campaign takes each of its counts (rows, kills, clients, rounds, seeds) from ``SIZE`` as a share of the whole, where
the count stands, and so do the floors on how often its faults must have fired: a fifth proves the same, less often.
What has no fifth says so in its file: an image is built or not, a fault that strikes once cannot strike less.
``CAMPAIGN_SHARE`` sets the share, also to more than the whole.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

VARIABLE = "CAMPAIGN_SHARE"
FIFTH = 0.2
WHOLE_S = 1_800
"""For one whole campaign beside a busy machine; a part of it may take that part, and what it takes to begin."""
BEGIN_S = 240


@dataclass(frozen=True, slots=True)
class Size:
    """``share``: of the whole, which is 1."""

    share: float

    def of(self, whole: int) -> int:
        """That share of ``whole``, rounded; at least one, so that it still happens."""
        return max(1, round(self.share * whole))

    @property
    def timeout_s(self) -> float:
        """For the mark ``timeout`` of one test: whether it ends at all."""
        return BEGIN_S + WHOLE_S * self.share


def read_size(environment: Mapping[str, str]) -> Size:
    """Raises pytest.UsageError for what is no share."""
    given = environment.get(VARIABLE) or str(FIFTH)
    try:
        share = float(given)
    except ValueError:
        share = 0.0
    if not 0 < share < float("inf"):
        raise pytest.UsageError(f"{VARIABLE}={given} is no share: give a number above 0, such as 1 for whole campaigns")
    return Size(share)


SIZE = read_size(os.environ)
