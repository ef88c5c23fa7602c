"""What viewers are shown, worked out once for all who look at the same."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from console.topics.arguments import Arguments
from console.topics.as_of import AsOf
from console.topics.holds import Holds
from console.topics.launch import Launch
from console.topics.level import LevelPage
from console.topics.log import LogPage
from console.topics.nodes import NodesPage
from console.topics.problems import ProblemsPage
from console.topics.stock import Stock
from console.topics.topic import Topic
from console.topics.watch import Watch
from server.problems import Invalid

SAME_FOR_S = 0.2
"""A little less than the time between two answers to a viewer."""
REMEMBERED_MAX = 256


class Board:
    def __init__(self, watch: Watch) -> None:
        as_of = AsOf(watch.ledger)
        topics: list[Topic[Any]] = [
            *(Launch(watch, as_of), Stock(watch), LevelPage(watch, as_of), LogPage(watch), NodesPage(watch)),
            *(ProblemsPage(watch), Holds(watch)),
        ]
        self.topics: Mapping[str, Topic[Any]] = {topic.name: topic for topic in topics}
        self._shown: OrderedDict[tuple[str, Any], tuple[float, asyncio.Task[dict[str, Any]]]] = OrderedDict()

    def read(self, name: object, given: object) -> tuple[Topic[Any], Any]:
        """The topic and what is asked of it. Raises Invalid."""
        topic = self.topics.get(name) if isinstance(name, str) else None
        if topic is None:
            raise Invalid("show", f"one of {', '.join(self.topics)} is required")
        arguments = Arguments({} if given is None else given)
        asked = topic.read(arguments)
        arguments.done()
        return topic, asked

    async def data(self, topic: Topic[Any], asked: Any) -> dict[str, Any]:
        """Raises Overloaded."""
        await topic.turn(asked)
        now = time.monotonic()
        known = self._shown.get((topic.name, asked))
        if known is None or known[0] < now - SAME_FOR_S:
            known = now, asyncio.ensure_future(topic.data(asked))
            self._shown[topic.name, asked] = known
            self._shown.move_to_end((topic.name, asked))
            if len(self._shown) > REMEMBERED_MAX:
                self._shown.popitem(last=False)
        return await asyncio.shield(known[1])
