"""What became of the listings that this process has sent, counted by channel and outcome."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from followers.marketplaces.terms import Accepted, Applied, Outcome, Refused, Stale, Throttled, Unknown

NAMES: Mapping[type[Outcome], str] = {
    Applied: "applied",
    Accepted: "accepted",
    Refused: "refused",
    Stale: "stale",
    Throttled: "throttled",
    Unknown: "unknown",
}


class Pushes:
    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def add(self, channel: str, outcomes: Sequence[Outcome]) -> None:
        self._of(channel).update(NAMES[type(one)] for one in outcomes)

    def by_outcome(self, channels: Collection[str]) -> Mapping[tuple[str, str], int]:
        """Of all ``channels`` that there are: others are forgotten."""
        self._counts = {one: self._of(one) for one in channels}
        return {(channel, name): found[name] for channel, found in self._counts.items() for name in NAMES.values()}

    def _of(self, channel: str) -> Counter[str]:
        return self._counts.setdefault(channel, Counter())
