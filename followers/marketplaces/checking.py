"""Looks now and then how a channel is set up, and whether it lets us in: what it finds is shown by ``doctor``."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from followers.database.database import Database, DatabaseAway
from followers.marketplaces.adapter import AccessRefused, RemoteAway
from followers.marketplaces.channels import STOPPED, checked, stop
from followers.marketplaces.leased import LeasedChannel

EVERY_S = 300.0
"""Subscriptions that a vendor switches off are made again within this time, and one that was stopped is tried again."""
AGAIN_S = 5.0

log = logging.getLogger(__name__)


class Checking:
    """A Work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def loops(self, leased: LeasedChannel) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        return {"checking": lambda: self._run(leased)}

    async def _run(self, leased: LeasedChannel) -> None:
        if leased.channel.state == STOPPED:
            leased.refused = leased.channel.reason or "it was stopped"
        while True:
            leased.recheck.clear()
            wait_s = await self._check(leased)
            try:
                async with asyncio.timeout(wait_s):
                    await leased.recheck.wait()
            except TimeoutError:
                continue

    async def _check(self, leased: LeasedChannel) -> float:
        """Returns in how many seconds to look again."""
        try:
            check = await leased.probe(leased.adapter.check, leased.channel.notices_url)
            leased.refused = None
            async with leased.writing(self._database) as connection:
                await checked(connection, leased.id, check.findings)
        except AccessRefused as error:
            log.error("a channel is stopped channel=%s reason=%r", leased.id, str(error))
            return await self._stop(leased, str(error))
        except RemoteAway as error:
            log.warning("a channel is away channel=%s reason=%r", leased.id, str(error))
            return max(AGAIN_S, leased.breaker.wait_s())
        except DatabaseAway:
            return AGAIN_S
        return EVERY_S

    async def _stop(self, leased: LeasedChannel, reason: str) -> float:
        leased.refused = reason
        leased.recheck.clear()
        try:
            async with leased.writing(self._database) as connection:
                await stop(connection, leased.id, reason)
        except DatabaseAway:
            return AGAIN_S
        return EVERY_S
