"""Logs as a ledger would write them, without one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from followers.exporter.auditing import Audit
from followers.exporter.counts import Counts
from followers.exporter.known import Known
from followers.exporter.violations import INVARIANTS, Violations

AT = "2026-11-30T12:00:00.000000Z"
SHARD = 0
NONE = dict.fromkeys(INVARIANTS, 0)


@dataclass
class Log:
    """Of one shard. ``events``: all of them."""

    events: list[dict[str, Any]] = field(default_factory=list)
    levels: dict[tuple[str, str], tuple[int, int, int]] = field(default_factory=dict)

    def add(self, sku: str, on_hand_delta: int, reserved_delta: int = 0, location: str = "berlin") -> dict[str, Any]:
        version, on_hand, reserved = self.levels.get((sku, location), (0, 0, 0))
        level = self.levels[sku, location] = version + 1, on_hand + on_hand_delta, reserved + reserved_delta
        event = {
            "shard": SHARD,
            "seq": len(self.events) + 1,
            "sku": sku,
            "location": location,
            "version": level[0],
            "kind": "receipt" if on_hand_delta > 0 else "sale",
            "on_hand_delta": on_hand_delta,
            "reserved_delta": reserved_delta,
            "on_hand": level[1],
            "reserved": level[2],
            "committed_at": AT,
        }
        self.events.append(event)
        return event

    def rows(self) -> list[dict[str, Any]]:
        """The levels, as a page has them."""
        seqs = {(event["sku"], event["location"]): event["seq"] for event in self.events}
        return [
            {"sku": sku, "location": location, "version": v, "on_hand": h, "reserved": r, "shard": SHARD, "seq": seq}
            for (sku, location), seq in sorted(seqs.items())
            for v, h, r in (self.levels[sku, location],)
        ]


@dataclass
class Bench:
    """An audit that begins behind ``after``."""

    after: int = 0
    levels_max: int = 1_000
    all_of_them: bool = False

    def __post_init__(self) -> None:
        self.violations, self.counts = Violations(), Counts()
        self.known = Known(self.levels_max, self.counts, all_of_them=self.all_of_them)
        self.audit = Audit({SHARD: self.after}, self.known, self.violations, self.counts)

    def read(self, events: Sequence[dict[str, Any]]) -> "Bench":
        self.audit.page(SHARD, events, events[-1]["seq"] if events else self.after)
        return self

    @property
    def found(self) -> dict[str, int]:
        """What is broken, without what is not."""
        return {name: count for name, count in self.violations.counts.items() if count}
