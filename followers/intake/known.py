"""Which levels the newest reservations and transfers have that this process has seen. Pure."""

from collections import OrderedDict

KNOWN_MAX = 10_000
"""Of them; what was let go of is taken for one that may be about any level."""


class Known:
    def __init__(self) -> None:
        self._levels: OrderedDict[str, frozenset[str]] = OrderedDict()

    def levels(self, id_: str) -> frozenset[str] | None:
        return self._levels.get(id_)

    def learn(self, id_: str, levels: frozenset[str]) -> None:
        self._levels[id_] = levels
        self._levels.move_to_end(id_)
        if len(self._levels) > KNOWN_MAX:
            self._levels.popitem(last=False)
