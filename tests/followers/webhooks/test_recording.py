"""What became of shipments, stored: also while others end all the time, and after history was rewritten."""

import asyncio
import time
from collections.abc import Sequence
from typing import cast

from followers.database.database import Database
from followers.database.leases import Lease
from followers.webhooks.endpoints import Endpoint, Endpoints, New
from followers.webhooks.key_ring import HeldKey, KeyRing
from followers.webhooks.leased import Held, Leased
from followers.webhooks.outbox import Outbox, Reached, Report
from followers.webhooks.recording import Recording
from followers.webhooks.secrets import new_secret

WITHIN_S = 30.0


def leased_of(endpoint: Endpoint) -> Leased:
    lease = Lease(0, time.monotonic() + 3_600)
    return Leased(endpoint, KeyRing((HeldKey(new_secret()),)), lease, None, None)


class _Busy:
    """An outbox during whose every write another shipment ends."""

    def __init__(self) -> None:
        self.recording: Recording | None = None
        self.stored: list[Report] = []

    async def record(self, reports: Sequence[Report]) -> None:
        await asyncio.sleep(0)
        self.stored += reports
        assert self.recording is not None
        self.recording.add(Report(reports[0].leased))


async def test_whoever_waits_for_what_was_added_does_not_wait_for_what_comes_meanwhile(database: Database) -> None:
    endpoint = await Endpoints(database).add(New("key", ("stock:read:*",), "https://a.example", ("x",)), b"", "e", {})
    busy = _Busy()
    recording = busy.recording = Recording(cast(Outbox, busy), asyncio.Event())
    running = asyncio.create_task(recording.run(), name="recording")
    first = Report(leased_of(endpoint))
    recording.add(first)
    async with asyncio.timeout(WITHIN_S):
        await recording.drained()
    assert busy.stored[0] is first
    running.cancel()


async def test_what_was_sent_of_another_epoch_ends_nothing_of_this_one(database: Database) -> None:
    endpoint = await Endpoints(database).add(New("key", ("stock:read:*",), "https://a.example", ("x",)), b"", "e", {})
    held = Held()
    leased = held.endpoints[endpoint.id] = leased_of(endpoint)
    async with database.transaction() as connection:
        await connection.execute(
            "insert into behind (endpoint, location, sku, epoch, shard, sent_version, newest_version)"
            " values ($1, 'berlin', 'A', 'new', 1, 7, 8)",
            endpoint.id,
        )
    outbox = Outbox(database, held)

    async def recorded(reached: Reached) -> int:
        await outbox.record([Report(leased, [reached])])
        return (await Endpoints(database).standing(endpoint.id)).levels_behind

    assert await recorded(Reached(("berlin", "A"), "old", 10)) == 1
    assert await recorded(Reached(("berlin", "A"), "old", 7, 1, 5.0, 500)) == 1
    assert await recorded(Reached(("berlin", "A"), "new", 8)) == 0
