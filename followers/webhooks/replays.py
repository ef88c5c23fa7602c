"""Sends spans of the log once more to endpoints whose owners asked for it: at a pace of its own, beside live traffic.

Each event for itself, in the order of the log, under the ids that it had; whatever the endpoint's mode and batch are.
"""

import asyncio
import logging
import random

from followers.database.database import DatabaseAway
from followers.log.ledger import Ledger, LedgerAway
from followers.webhooks import schedule
from followers.webhooks.intake import Intake
from followers.webhooks.leased import Held, Leased
from followers.webhooks.outbox import Outbox, Replayed, Report
from followers.webhooks.recording import Recording
from followers.webhooks.shipping import Shipping

EVERY_S = 0.5
EVENTS_MAX = 50
"""Of one endpoint, in that time."""

log = logging.getLogger(__name__)


class Replays:
    """``run`` until cancelled."""

    def __init__(
        self, ledger: Ledger, outbox: Outbox, held: Held, intake: Intake, shipping: Shipping, recording: Recording
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._held = held
        self._intake = intake
        self._shipping = shipping
        self._recording = recording
        self._busy: set[str] = set()

    async def run(self) -> None:
        """One span of each endpoint at a time: one that is slow delays no other's."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await asyncio.sleep(EVERY_S)
                for identifier, asked in (await self._due()).items():
                    if leased := self._held.endpoints.get(identifier):
                        self._busy.add(identifier)
                        tasks.create_task(self._go_on(leased, asked), name=f"replay to {identifier}")

    async def _due(self) -> dict[str, Replayed]:
        if not self._intake.epoch:
            return {}  # how the public sees levels is not known yet
        free = [
            identifier
            for identifier, leased in self._held.endpoints.items()
            if leased.free() and leased.is_held and identifier not in self._busy
        ]
        try:
            return await self._outbox.replays(free)
        except DatabaseAway as error:
            log.warning("replays wait reason=%r", str(error))
            return {}

    async def _go_on(self, leased: Leased, asked: Replayed) -> None:
        try:
            await self._some(leased, asked)
        except (DatabaseAway, LedgerAway) as error:
            log.warning("a replay waits endpoint=%s reason=%r", leased.endpoint.id, str(error))
        finally:
            self._busy.discard(leased.endpoint.id)

    async def _some(self, leased: Leased, asked: Replayed) -> None:
        limit = min(EVENTS_MAX, asked.until_seq - asked.next_seq + 1)
        page = await self._ledger.events(asked.shard, asked.next_seq - 1, limit)
        if page["epoch"] != asked.epoch or not page["events"]:
            log.warning("a replay ends, its epoch is history endpoint=%s epoch=%s", leased.endpoint.id, asked.epoch)
            await self._outbox.replayed(leased, asked, asked.until_seq + 1, 0, 0.0)
            return
        report = Report(leased)
        leased.shipments += 1
        taken, failed = await self._shipping.again(leased, page["events"], asked.epoch, self._intake.steps, report)
        leased.ended = None  # only what is sent live disables: it meets the same, and nobody here stores it
        attempt = asked.attempt + 1 if failed else 0
        wait_s = schedule.next_wait_s(attempt, random.random(), failed.retry_after_s) if failed else 0.0
        self._recording.add(report)
        await self._outbox.replayed(leased, asked, asked.next_seq + taken, attempt, wait_s)
