"""Looks what became of pushes whose outcome is not known: before anything is repeated, it is read what stands there."""

import asyncio
import logging
from collections.abc import Collection, Sequence

from followers.database.database import Connection, Database, DatabaseAway
from followers.marketplaces.adapter import Listing, RemoteAway
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.pushing import outgoing
from followers.marketplaces.pushing.outgoing import Dead, Doubt, Outgoing, Row

ROWS_MAX = 1_000
"""In one turn."""
LOOK_EVERY_S = 0.5
LATE_S, LATE_S_MAX = 2.0, 300.0
"""Between two looks at what was accepted and does not stand there yet; doubled each time."""
LOOKS_MAX = 8
"""At what was accepted: some 8 minutes. What does not stand there then was not done, and is sent again."""
MISSING = "the channel has no such listing any more: map it anew, or remove its line"
UNCOUNTED = "the channel keeps no count of this listing: let it track stock there"

log = logging.getLogger(__name__)


class ReadingBack:
    """Of one channel. ``in_flight``: listings that are being sent now: what becomes of them is told."""

    def __init__(self, database: Database, leased: LeasedChannel, in_flight: Collection[str]) -> None:
        self._database = database
        self._leased = leased
        self._in_flight = in_flight
        self._outgoing = Outgoing(database)

    async def run(self) -> None:
        """Until cancelled. Raises LeaseLost."""
        while True:
            await self._leased.ready()
            try:
                done = await self._read()
            except DatabaseAway as error:
                log.warning("a channel waits to be read back channel=%s reason=%r", self._leased.id, str(error))
                done = 0
            if done:
                self._leased.due.set()
            else:
                await asyncio.sleep(LOOK_EVERY_S)

    async def _read(self) -> int:
        """Returns how many were found out."""
        rows = [
            row for row in await self._outgoing.to_read(self._leased.id, ROWS_MAX) if row.remote not in self._in_flight
        ]
        size = self._leased.adapter.batch
        done = 0
        for at in range(0, len(rows), size):
            batch = rows[at : at + size]
            try:
                found = await self._leased.ask(self._leased.adapter.read, [row.remote for row in batch])
            except RemoteAway as error:
                log.warning("a channel cannot be read back channel=%s reason=%r", self._leased.id, str(error))
                break
            done += await self._store(batch, {one.remote: one for one in found})
            self._leased.due.set()
        return done

    async def _store(self, rows: Sequence[Row], found: dict[str, Listing]) -> int:
        """Returns how many are no longer in doubt."""
        async with self._leased.writing(self._database) as connection:
            there = await outgoing.still_in_doubt(connection, self._leased.id, rows)
            return await self._found_out(connection, [row for row in rows if row.remote in there], found)

    async def _found_out(self, connection: Connection, rows: Sequence[Row], found: dict[str, Listing]) -> int:
        dead: list[Dead] = []
        late: list[Doubt] = []
        read: list[tuple[str, int, bool]] = []
        for row in rows:
            listing = found.get(row.remote)
            if listing is None or listing.quantity is None:
                dead.append(Dead(row.remote, None, MISSING if listing is None else UNCOUNTED))
            elif row.state == "accepted" and listing.quantity != row.wanted and row.attempt < LOOKS_MAX:
                late.append(Doubt(row.remote, min(LATE_S_MAX, LATE_S * 2**row.attempt)))
            else:
                expected = row.sent is None or listing.quantity in (row.sent, row.wanted)
                read.append((row.remote, listing.quantity, expected))
        await outgoing.dead(connection, self._leased.id, dead)
        await outgoing.in_doubt(connection, self._leased.id, "accepted", late)
        if read:
            await outgoing.read_back(connection, self._leased.id, read, min(row.read_at for row in rows))
        if not all(expected for _, _, expected in read):
            self._leased.poll.set()
        return len(dead) + len(read)
