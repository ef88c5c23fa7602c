"""What may be repaired without a person. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from followers.marketplaces.reconciling.comparing import DriftClass

FEW = 5
"""So many may differ at a channel of any size before it is a fault of the whole."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Nothing is repaired by itself unless its class is named.

    ``units_max``: how far apart the numbers may be. ``older_than_s``: how long a difference must have stood.
    ``quiet_s``: how long no order may have had the listing. ``run_max``: repairs of one run.
    ``stop_share``: the part of what was compared, above which differences are a fault of the whole: then nothing is
    repaired, and somebody is told.
    """

    classes: frozenset[DriftClass] = field(default_factory=frozenset)
    units_max: int = 3
    older_than_s: float = 600.0
    quiet_s: float = 900.0
    run_max: int = 50
    stop_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Drift:
    """``stood_s``: since it was first seen. ``quiet_s``: since the last order that had it."""

    identifier: int
    kind: DriftClass
    units: int
    stood_s: float
    quiet_s: float = math.inf
    can_be_repaired: bool = True


def is_mass(compared: int, differing: int, policy: Policy) -> bool:
    """Whether so much differs that the comparison, the mapping or the channel itself is at fault."""
    return differing > max(FEW, compared * policy.stop_share)


def chosen(drifts: Sequence[Drift], policy: Policy) -> list[int]:
    """Whose repair the policy allows, the oldest first; nothing if it was a mass: ask ``is_mass`` before."""
    allowed = [drift for drift in drifts if _is_allowed(drift, policy)]
    allowed.sort(key=lambda drift: (-drift.stood_s, drift.identifier))
    return [drift.identifier for drift in allowed[: policy.run_max]]


def _is_allowed(drift: Drift, policy: Policy) -> bool:
    return (
        drift.can_be_repaired
        and drift.kind in policy.classes
        and drift.units <= policy.units_max
        and drift.stood_s >= policy.older_than_s
        and drift.quiet_s >= policy.quiet_s
    )
