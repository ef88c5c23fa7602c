"""One level held against its own events: what the audit trail says of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from stockwire import Event, Level

SOLD = ("sale", "fulfil")


@dataclass(frozen=True, slots=True)
class LevelAudit:
    """``events``: how many; ``gaps``: versions of 1..``version`` that are missing or there twice. Quantities in units.

    ``least``: the lowest that the level ever was. ``sold``: what its sale events took, and what left that was held.
    ``reserved``: of holds that are still open, of which ``sum_of_reserved`` is what the events say.
    """

    version: int
    on_hand: int
    events: int
    gaps: int
    sum_of_deltas: int
    least: int
    sold: int
    reserved: int
    sum_of_reserved: int

    def complaints(self) -> list[str]:
        found = []
        if self.gaps:
            found.append(
                f"audit: {self.events} events for versions 1 to {self.version}, {self.gaps} missing or doubled"
            )
        if self.sum_of_deltas != self.on_hand:
            found.append(f"audit: the level says {self.on_hand}, its events sum up to {self.sum_of_deltas}")
        if self.sum_of_reserved != self.reserved:
            found.append(f"audit: {self.reserved} are reserved, the events sum up to {self.sum_of_reserved}")
        if self.least < 0:
            found.append(f"audit: the level was at {self.least}")
        return found


def audit_level(level: Level, events: Sequence[Event]) -> LevelAudit:
    """``events``: the whole history, read when nothing moved any more."""
    versions = [event.version for event in events]
    expected = set(range(1, level.version + 1))
    return LevelAudit(
        version=level.version,
        on_hand=level.on_hand,
        events=len(events),
        gaps=len(expected ^ set(versions)) + len(versions) - len(set(versions)),
        sum_of_deltas=sum(event.on_hand_delta for event in events),
        least=min([level.available, *(event.available for event in events)]),
        sold=-sum(event.on_hand_delta for event in events if event.kind in SOLD),
        reserved=level.reserved,
        sum_of_reserved=sum(event.reserved_delta for event in events),
    )
