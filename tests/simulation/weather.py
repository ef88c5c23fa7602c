"""Which faults are frequent in a run. All of them happen in all runs; a seed's weather is its remainder."""

from dataclasses import dataclass

ACTIONS = {
    "commit": 25.0,
    "burst": 2.0,
    "take": 8.0,
    "pace": 5.0,
    "cut": 4.0,
    "beside": 2.0,
    "replace": 0.5,
    "noise": 2.0,
    "broker": 2.0,
    "ledger": 2.0,
    "restore": 0.3,
    "epoch": 0.15,
    "vanish": 0.4,
    "move": 1.0,
}
"""What can happen in a step, and how often against the others."""


@dataclass(frozen=True, slots=True)
class Weather:
    name: str
    stormy: tuple[str, ...]
    factor: float = 3.0

    def weights(self) -> dict[str, float]:
        return {name: weight * (self.factor if name in self.stormy else 1) for name, weight in ACTIONS.items()}


WEATHERS = (
    Weather("broker", ("noise", "broker", "burst")),
    Weather("history", ("ledger", "restore", "epoch", "vanish")),
    Weather("readers", ("pace", "cut", "beside", "replace", "move")),
)
