"""What the load processes report to the one that judges, gathered. See `node` for the messages."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Set
from datetime import UTC, datetime
from typing import Any

from ledger.commit.operation import operation_id
from tests.load.screen import Delivered
from tests.load.verdict import Told, Watched

POLL_S = 0.05
ANSWER_S = 40.0
"""For the load processes to finish their calls and report: longer than `node.FINISH_S`."""


class Reports:
    """``owner``: of the key that everybody uses: an operation's id is a hash of its owner and its key.

    ``unfinished``: calls that did not end when trading did. ``abandoned``: baskets by their references, with their
    ends; ``times``: see `shelf.Returned`.
    """

    def __init__(self, owner: str) -> None:
        self.told = Told()
        self.screens: list[Watched] = []
        self.delivered = Delivered()
        self.unfinished = 0
        self.abandoned: dict[str, datetime] = {}
        self.times: Counter[int] = Counter()
        self._returned: set[str] = set()
        self._owner = owner
        self._turn = 0
        self._closed: set[str] = set()
        self._shown: set[str] = set()

    def hear(self, kind: str, node: str, data: Mapping[str, Any]) -> None:
        """Screens of an earlier turn come too late and are left out."""
        if kind == "acknowledged":
            self._acknowledged(data)
        elif kind == "abandoned":
            self.abandoned |= {reference: datetime.fromtimestamp(over, UTC) for reference, over in data["baskets"]}
        elif kind == "returned":
            self.times.update(dict(data["times"]))
            self._returned.add(node)
        elif kind == "closed":
            self._closed.add(node)
            self.unfinished += data["under_way"]
        elif data["turn"] == self._turn and kind == "screens":
            self.screens += [_watched(row) for row in data["screens"]]
        elif data["turn"] == self._turn and kind == "shown":
            self.delivered.add(Delivered(**data["delivered"]))
            self._shown.add(node)

    def await_closed(self, nodes: Set[str], present: Callable[[], Collection[str]]) -> Set[str]:
        """Which of ``nodes`` have not answered in time; those that are not ``present`` any more are not waited for."""
        return _missing(nodes, present, lambda: self._closed)

    def begin_turn(self) -> int:
        """Forget what was shown: ask again, with this number."""
        self._turn += 1
        self.screens, self.delivered, self._shown = [], Delivered(), set()
        return self._turn

    def await_shown(self, nodes: Set[str], present: Callable[[], Collection[str]]) -> Set[str]:
        """As `await_closed`, for this turn."""
        return _missing(nodes, present, lambda: self._shown)

    def await_returned(self, nodes: Set[str], present: Callable[[], Collection[str]]) -> Set[str]:
        """As `await_closed`, of when abandoned baskets were back."""
        return _missing(nodes, present, lambda: self._returned)

    def _acknowledged(self, data: Mapping[str, Any]) -> None:
        for operation, effects in data["operations"]:
            self.told.acknowledged[operation] = frozenset(tuple(effect) for effect in effects)
        self.told.unknown |= {operation_id(self._owner, key) for key in data["unknown"]}


def _watched(row: Mapping[str, Any]) -> Watched:
    levels = {sku: tuple(shown) for sku, shown in row["levels"].items()}
    return Watched(row["name"], row["complete"], row["skus"], levels)


def _missing(nodes: Set[str], present: Callable[[], Collection[str]], answered: Callable[[], Set[str]]) -> Set[str]:
    ends = time.monotonic() + ANSWER_S
    while (nodes - answered()) & set(present()) and time.monotonic() < ends:
        time.sleep(POLL_S)
    return nodes - answered()
