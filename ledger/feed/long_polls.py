"""Requests that wait for something: bounded in number, ended when the caller hangs up or the process stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from server.problems import Overloaded

LONG_POLLS_MAX = 512
"""A hub keeps one open for each shard, and only while the broker is away."""


class LongPolls:
    """``close`` ends them all, now and later. Safe twice."""

    def __init__(self, polls_max: int = LONG_POLLS_MAX) -> None:
        self.open = 0
        self._polls_max = polls_max
        self._closed = asyncio.Event()

    def close(self) -> None:
        self._closed.set()

    async def wait(self, event: Coroutine[Any, Any, None], hanging_up: Coroutine[Any, Any, None]) -> bool:
        """Until ``event`` ends: True. False if the caller hangs up before, or the process stops. Raises Overloaded."""
        if self.open >= self._polls_max:
            event.close()
            hanging_up.close()
            raise Overloaded(f"{self._polls_max} requests are waiting already")
        self.open += 1
        try:
            return await self._first(event, hanging_up, self._closed.wait())
        finally:
            self.open -= 1

    async def _first(self, event: Coroutine[Any, Any, None], *ends: Coroutine[Any, Any, Any]) -> bool:
        async with asyncio.TaskGroup() as group:
            happened = group.create_task(event)
            tasks = [happened, *(group.create_task(end) for end in ends)]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
        return not happened.cancelled()
