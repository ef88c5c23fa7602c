"""What may be repaired without a person. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from followers.marketplaces.reconciling.comparing import DriftClass

FEW = 5
"""So many may differ at a channel of any size before it is a fault of the whole."""
EVERY_S_LEAST = 60.0


class PolicyRefused(Exception):
    """``name``: of the field. The message says the fix."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class Policy:
    """Nothing is repaired by itself unless its class is named. ``every_s``: how often all is compared without being
    asked; None: never.

    ``units_max``: how far apart the numbers may be. ``older_than_s``: how long a difference must have stood.
    ``quiet_s``: how long no order may have had the listing. ``run_max``: repairs of one run.
    ``stop_share``: the part of what was compared, above which differences are a fault of the whole: then nothing is
    repaired, and somebody is told.
    """

    every_s: float | None = None
    classes: frozenset[DriftClass] = field(default_factory=frozenset)
    units_max: int = 3
    older_than_s: float = 600.0
    quiet_s: float = 900.0
    run_max: int = 50
    stop_share: float = 0.05


def policy_of(said: Mapping[str, Any]) -> Policy:
    """As a channel has it: the names of the fields above. Raises PolicyRefused."""
    if strange := sorted(set(said) - set(_FIELDS)):
        raise PolicyRefused(strange[0], f"is none of {', '.join(_FIELDS)}")
    given = {name: _FIELDS[name](name, value) for name, value in said.items()}
    return Policy(**given)


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


def _classes(name: str, value: Any) -> frozenset[DriftClass]:
    if not isinstance(value, list) or not all(one in set(DriftClass) for one in value):
        raise PolicyRefused(name, f"is a list of classes: {', '.join(DriftClass)}")
    return frozenset(DriftClass(one) for one in value)


def _at_least(least: float, most: float) -> Callable[[str, Any], float]:
    def number(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise PolicyRefused(name, f"is a number from {least:g} to {most:g}")
        return value

    return number


def _whole(least: int, most: int) -> Callable[[str, Any], int]:
    def number(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise PolicyRefused(name, f"is a whole number from {least} to {most}")
        return value

    return number


_DAY_S = 86_400.0
_FIELDS: dict[str, Callable[[str, Any], Any]] = {
    "every_s": _at_least(EVERY_S_LEAST, 7 * _DAY_S),
    "classes": _classes,
    "units_max": _whole(1, 1_000_000),
    "older_than_s": _at_least(0, 7 * _DAY_S),
    "quiet_s": _at_least(0, 7 * _DAY_S),
    "run_max": _whole(1, 10_000),
    "stop_share": _at_least(0, 1),
}
