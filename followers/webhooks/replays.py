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

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            held = [one for one, leased in self._held.endpoints.items() if leased.free() and leased.is_held]
            try:
                due = await self._outbox.replays(held)
                async with asyncio.TaskGroup() as tasks:
                    for identifier, replayed in due.items():
                        if leased := self._held.endpoints.get(identifier):
                            tasks.create_task(self._some(leased, replayed), name=f"replay to {identifier}")
            except* (DatabaseAway, LedgerAway) as group:
                log.warning("replays wait: %s", group.exceptions[0])

    async def _some(self, leased: Leased, asked: Replayed) -> None:
        limit = min(EVENTS_MAX, asked.until_seq - asked.next_seq + 1)
        page = await self._ledger.events(asked.shard, asked.next_seq - 1, limit)
        if page["epoch"] != asked.epoch or not page["events"]:
            log.warning("endpoint %s: a replay of epoch %s has ended: that is history", leased.endpoint.id, asked.epoch)
            await self._outbox.replayed(leased, asked, asked.until_seq + 1, 0, 0.0)
            return
        report = Report(leased)
        leased.shipments += 1
        taken, failed = await self._shipping.again(leased, page["events"], asked.epoch, self._intake.steps, report)
        attempt = asked.attempt + 1 if failed else 0
        wait_s = schedule.next_wait_s(attempt, random.random(), failed.retry_after_s) if failed else 0.0
        self._recording.add(report)
        await self._outbox.replayed(leased, asked, asked.next_seq + taken, attempt, wait_s)
