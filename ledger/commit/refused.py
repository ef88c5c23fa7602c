"""Who and what was refused most, in short lists: names as labels of metrics would be without end. Pure."""

from typing import Any

from ledger.errors import Refusal

LISTED_MAX = 256
"""Of each list. Beyond it the one with the fewest makes room: what is refused often stays, what is rare may be lost."""

LevelRefused = tuple[str, str, str]
"""(sku, location, problem type)"""
OwnerRefused = tuple[str, str]
"""(owner, problem type)"""


class RefusedLists:
    """Counts since start, or since something was last listed. ``others``: refusals that made room, of both lists."""

    def __init__(self) -> None:
        self.levels: dict[LevelRefused, int] = {}
        self.owners: dict[OwnerRefused, int] = {}
        self.others = 0

    def count(self, refusal: Refusal, owner: str) -> None:
        self._count(self.owners, (owner, refusal.type))
        level = refusal.numbers.get("level", refusal.numbers)
        if "sku" in level and "location" in level:  # else it is about a hold as a whole
            self._count(self.levels, (level["sku"], level["location"], refusal.type))

    def document(self) -> dict[str, Any]:
        """Those with the most first."""
        return {
            "levels": [
                {"sku": sku, "location": location, "type": kind, "count": count}
                for (sku, location, kind), count in _most_first(self.levels)
            ],
            "owners": [
                {"owner": owner, "type": kind, "count": count} for (owner, kind), count in _most_first(self.owners)
            ],
            "others": self.others,
        }

    def _count(self, listed: dict[Any, int], name: tuple[str, ...]) -> None:
        known = listed.get(name)
        if known is None and len(listed) >= LISTED_MAX:
            self.others += listed.pop(min(listed, key=listed.__getitem__))
        listed[name] = (known or 0) + 1


def _most_first(listed: dict[Any, int]) -> list[tuple[Any, int]]:
    return sorted(listed.items(), key=lambda one: (-one[1], one[0]))
