"""Nodes: every process, and what it does now."""

import time
from dataclasses import dataclass
from typing import Any

from console.moments import text_of
from console.topics.arguments import Arguments
from console.topics.topic import Topic


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to choose."""


class NodesPage(Topic[Nothing]):
    name = "nodes"

    def read(self, arguments: Arguments) -> Nothing:
        return Nothing()

    async def data(self, asked: Nothing) -> dict[str, Any]:
        return {"at": text_of(time.time()), "nodes": self.watch.nodes.fields(), "up": self.watch.control.state}
