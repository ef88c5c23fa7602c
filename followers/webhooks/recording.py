"""Stores what became of shipments: all that have ended meanwhile in one transaction."""

import asyncio
import logging

from followers.database.database import DatabaseAway
from followers.webhooks.outbox import Outbox, Report

AGAIN_S = 0.5

log = logging.getLogger(__name__)


class Recording:
    """Until a shipment is stored, its levels stay in flight: nothing else is sent of them."""

    def __init__(self, outbox: Outbox, woken: asyncio.Event) -> None:
        self._outbox = outbox
        self._woken = woken
        self._reports: list[Report] = []
        self._some = asyncio.Event()
        self._stored = asyncio.Event()
        self._before_stored = asyncio.Event()
        self._before_stored.set()

    def add(self, report: Report) -> None:
        self._reports.append(report)
        self._some.set()

    async def drained(self) -> None:
        """Returns when everything that was added before is stored, whatever is added meanwhile."""
        await (self._stored if self._reports else self._before_stored).wait()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            reports, self._reports = self._reports, []
            self._before_stored, self._stored = self._stored, asyncio.Event()
            await self._store(reports)
            self._before_stored.set()

    async def _store(self, reports: list[Report]) -> None:
        """Those whose lease ends meanwhile are dropped: whoever holds it then sends them again."""
        while True:
            left = [report for report in reports if report.leased.is_held]
            try:
                if left:
                    await self._outbox.record(left)
                break
            except DatabaseAway as error:
                log.warning("shipments wait to be recorded shipments=%d reason=%r", len(left), str(error))
                await asyncio.sleep(AGAIN_S)
        for report in reports:
            leased = report.leased
            leased.shipments -= 1
            levels = {one.level for one in report.reached}
            leased.in_flight -= levels
            leased.notices.discard(report.notice or "")
            leased.settled |= levels | {report.notice or ""}
            leased.look_at(0.0)
        self._woken.set()
