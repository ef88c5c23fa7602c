"""Sends what is due: looks at all endpoints that are held, as soon as something may be due to one of them.

In flight at once: one shipment per level, so that its versions keep their order; a few per endpoint, and bounded per
owner and in all, so that a slow one delays nobody else.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from followers.database.database import DatabaseAway
from followers.webhooks.intake import Intake
from followers.webhooks.leased import (
    IN_FLIGHT_OF_ALL_MAX,
    IN_FLIGHT_OF_OWNER_MAX,
    NEVER,
    Held,
    Leased,
)
from followers.webhooks.outbox import Behind, Due, Outbox, Report
from followers.webhooks.owners import Owners
from followers.webhooks.recording import Recording
from followers.webhooks.shipping import Shipping

AGAIN_S = 0.5
LOOKS_APART_S = 0.005
"""What becomes due meanwhile is asked for at once."""
IDLE_S = 1.0
ASKED_AT_ONCE = 500

T = TypeVar("T")

log = logging.getLogger(__name__)


class Delivery:
    """``run`` once. ``stop``: nothing more is begun; safe if never started, safe twice."""

    def __init__(
        self,
        outbox: Outbox,
        held: Held,
        owners: Owners,
        intake: Intake,
        shipping: Shipping,
        recording: Recording,
        woken: asyncio.Event,
    ) -> None:
        self._outbox = outbox
        self._held = held
        self._owners = owners
        self._intake = intake
        self._shipping = shipping
        self._recording = recording
        self._woken = woken
        self._of_owners: Counter[str] = Counter()
        self._under_way = 0
        self._stopping = False
        self._ended = asyncio.Event()
        self._ended.set()

    async def stop(self) -> None:
        """Returns when nothing is in flight any more."""
        self._stopping = True
        self._woken.set()
        await self._ended.wait()

    async def run(self) -> None:
        """Until ``stop``."""
        self._ended.clear()
        try:
            await self._look()
        finally:
            self._ended.set()

    async def _look(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while not self._stopping:
                await self._wait()
                for asked in self._asked():
                    try:
                        due = await self._outbox.due(asked, self._intake.epoch)
                    except DatabaseAway as error:
                        log.warning("what is due cannot be read reason=%r", str(error))
                        await asyncio.sleep(AGAIN_S)
                        due = {}
                    for identifier, limit in asked.items():
                        self._begin(tasks, identifier, limit, due.get(identifier))
                await asyncio.sleep(LOOKS_APART_S)

    async def _wait(self) -> None:
        """Until something may be due."""
        next_s = min((_at_s(one) for one in self._held.endpoints.values() if self._may_send(one)), default=NEVER)
        try:
            async with asyncio.timeout(min(IDLE_S, max(0.0, next_s - time.monotonic()))):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()

    def _asked(self) -> Iterator[dict[str, int]]:
        """Endpoints to which something may go now, with how much; in pieces of one statement."""
        now = time.monotonic()
        asked = [
            (identifier, leased.free() * leased.endpoint.batch + len(leased.in_flight))
            for identifier, leased in self._held.endpoints.items()
            if _at_s(leased) <= now and self._may_send(leased)
        ]
        for piece in _in_pieces(asked, ASKED_AT_ONCE):
            for identifier, _ in piece:
                self._held.endpoints[identifier].due_s = NEVER
                self._held.endpoints[identifier].settled.clear()
            yield dict(piece)

    def _may_send(self, leased: Leased) -> bool:
        owner = leased.endpoint.owner
        return (
            leased.free() > 0
            and leased.is_held
            and leased.ended is None
            and not leased.catching_up
            and self._of_owners[owner] < IN_FLIGHT_OF_OWNER_MAX
            and self._under_way < IN_FLIGHT_OF_ALL_MAX
            and self._owners.is_good(owner)
        )

    def _begin(self, tasks: asyncio.TaskGroup, identifier: str, limit: int, due: Due | None) -> None:
        leased = self._held.endpoints.get(identifier)
        if leased is None:
            return
        if due is None:
            leased.look_at(0.0)
            return
        if due.next_in_s is not None:
            leased.look_at(time.monotonic() + due.next_in_s)
        for notice in due.notices:
            if notice.id not in leased.notices | leased.settled and leased.free():
                leased.notices.add(notice.id)
                self._ship(tasks, leased, self._shipping.notice(leased, notice))
        waiting = [row for row in due.levels if row.level not in leased.in_flight | leased.settled]
        for rows in _together(waiting, leased):
            if leased.free():
                leased.in_flight.update(row.level for row in rows)
                self._ship(tasks, leased, self._levels(leased, rows))
        if len(due.levels) >= limit:
            leased.look_at(0.0)  # there may be more

    def _levels(self, leased: Leased, rows: Sequence[Behind]) -> Coroutine[Any, Any, Report]:
        return self._shipping.levels(leased, rows, self._intake.steps)

    def _ship(self, tasks: asyncio.TaskGroup, leased: Leased, shipment: Coroutine[Any, Any, Report]) -> None:
        leased.shipments += 1
        self._of_owners[leased.endpoint.owner] += 1
        self._under_way += 1
        tasks.create_task(self._shipped(leased, shipment), name=f"to {leased.endpoint.id}")

    async def _shipped(self, leased: Leased, shipment: Coroutine[Any, Any, Report]) -> None:
        owner = leased.endpoint.owner
        try:
            report = await shipment
        finally:
            self._of_owners[owner] -= 1
            self._under_way -= 1
        self._recording.add(report)
        if leased.ended is not None and not leased.leaving and self._held.has(leased):
            await self._disable(leased, leased.ended)

    async def _disable(self, leased: Leased, reason: str) -> None:
        """Then it is left, once nothing of it is in flight any more."""
        log.warning("an endpoint is disabled endpoint=%s reason=%r", leased.endpoint.id, reason)
        try:
            await self._recording.drained()
            await self._outbox.disable(leased, reason)
            leased.leaving = True
        except DatabaseAway as error:
            log.warning("an endpoint is not disabled yet endpoint=%s reason=%r", leased.endpoint.id, str(error))
            leased.ended = None


def _at_s(leased: Leased) -> float:
    return max(leased.due_s, leased.slow_until_s)


def _together(waiting: Iterable[Behind], leased: Leased) -> Iterator[list[Behind]]:
    """What goes at once, in its order."""
    together: list[Behind] = []
    for row in waiting:
        if row.level in leased.alone:
            yield [row]
            continue
        together.append(row)
        if len(together) == leased.endpoint.batch:
            yield together
            together = []
    if together:
        yield together


def _in_pieces(all_of_them: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (all_of_them[at : at + most] for at in range(0, len(all_of_them), most))
