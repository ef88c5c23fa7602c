"""Requests that wait for something: bounded in number, ended when the caller hangs up or the process stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from starlette.requests import Request

from ledger.admission import out_of_lane
from ledger.errors import Overloaded

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

    async def wait(self, request: Request, event: Coroutine[Any, Any, None]) -> bool:
        """Until ``event`` ends: True. False if the caller hung up or the process stops. Raises Overloaded."""
        if self.open >= self._polls_max:
            event.close()
            raise Overloaded(f"{self._polls_max} requests are waiting already")
        self.open += 1
        try:
            with out_of_lane(request.scope):
                return await self._first(event, _gone(request), self._closed.wait())
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


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
