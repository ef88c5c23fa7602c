"""The heads of the shards and the epoch, read from PostgreSQL, not from memory: another replica's lost tail must show.

Each reading wakes the long polls of shards that have moved, and goes out as heartbeat, by which hubs notice a lost
tail or a dead broker connection.
"""

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ledger.database.connector import READ_ONLY, CheckedConnection, Connector
from ledger.database.held_connection import HeldConnection
from ledger.database.reason import reason_of
from ledger.feed.publisher import Publisher
from ledger.feed.recent import Recent
from ledger.migrations import make_epoch
from ledger.migrations.marks import Contracted
from wire.availability import DEFAULT_STEPS, PublicSteps

logger = logging.getLogger(__name__)

HEARTBEAT_S = (0.25, 0.5)
"""Between two heartbeats: drawn anew each time, so that replicas do not beat together."""

READ_DEADLINE_S = 3.0

READ = """
select m.epoch, m.public_steps, m.public_low, m.items_limited,
       current_setting('transaction_read_only')::bool as read_only,
       c.system_identifier, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline,
       array(select id from shard order by id) as shards, array(select head from shard order by id) as heads
  from ledger_meta m, pg_control_system() c
"""
"""A standby refuses to say where its log ends; a primary that lets nobody write any more has to be asked."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Heads:
    """``epoch``, ``heads`` and the public ``steps`` as last read. ``run`` until cancelled.

    ``items_limited``: whether any item has ever said how much of it may be held. ``recent``: what this process has
    committed a moment ago.
    """

    def __init__(self, connector: Connector, settings: Mapping[str, str], publisher: Publisher) -> None:
        """``settings``: of its own connection to the database."""
        self.epoch = ""
        self.steps = DEFAULT_STEPS
        self.items_limited = False
        self.heads: dict[int, int] = {}
        self.recent = Recent()
        self.rewritten = 0
        self.failures = 0
        self._read_heads: dict[int, int] = {}
        self._suffix = ""
        # One reading at a time: answers that overtook each other would look like heads that fall.
        self._reading = asyncio.Lock()
        self._connection = HeldConnection(connector, settings)
        self._connector = connector
        self._publisher = publisher
        self._waiters: dict[int, set[asyncio.Future[None]]] = {}

    @property
    def ready(self) -> bool:
        """Whether the heads were read at least once."""
        return bool(self.heads)

    def compose(self, stored: str) -> str:
        """The epoch as everyone sees it: the stored one with PostgreSQL's system identifier and timeline."""
        return stored + self._suffix

    async def run(self) -> None:
        """Raises Contracted."""
        while True:
            try:
                async with asyncio.timeout(READ_DEADLINE_S):
                    await self.refresh()
            except Contracted:
                raise  # no other reading will work
            except Exception as error:  # noqa: BLE001  whatever it is, the next reading may work; it is counted and logged
                self.failures += 1
                logger.warning("the heads cannot be read reason=%r", reason_of(error))
            else:
                for shard, head in self.heads.items():
                    self._publisher.heartbeat(self.epoch, shard, head)
            await asyncio.sleep(random.uniform(*HEARTBEAT_S))

    async def refresh(self) -> None:
        """Reads on its own connection: for one at a time. Raises what ``HeldConnection`` raises."""
        async with self._connection.taken() as connection:
            await self.read(connection)

    async def close(self) -> None:
        """Safe twice."""
        await self._connection.close()

    async def read(self, connection: CheckedConnection) -> None:
        """Read epoch and heads on ``connection``; a head that fell under the same epoch makes a new epoch.

        Raises NoPrimary.
        """
        async with self._reading:
            await self._read(connection)

    async def _read(self, connection: CheckedConnection) -> None:
        row = await connection.fetchrow(READ)
        if row["read_only"]:
            self._connector.deny(connection.seen, READ_ONLY)
        self._suffix = suffix_of(row)
        epoch = self.compose(row["epoch"])
        heads = dict(zip(row["shards"], row["heads"], strict=True))
        if epoch == self.epoch and any(head < self._read_heads.get(shard, 0) for shard, head in heads.items()):
            epoch = self.compose(await self._rewrite(connection, row["epoch"], heads))
        self.steps = PublicSteps(tuple(row["public_steps"]), row["public_low"])
        self.items_limited |= row["items_limited"]
        self._adopt(epoch, heads)

    async def _rewrite(self, connection: CheckedConnection, stored: str, heads: dict[int, int]) -> str:
        """Heads only fall when an older database was restored: history was rewritten, positions mean nothing now."""
        logger.critical("the heads fell, an older database was restored before=%s after=%s", self._read_heads, heads)
        self.rewritten += 1
        await connection.execute("update ledger_meta set epoch = $1 where epoch = $2", make_epoch(), stored)
        # Another replica may have been first: its epoch counts.
        epoch: str = await connection.fetchval("select epoch from ledger_meta")
        return epoch

    def _adopt(self, epoch: str, heads: dict[int, int]) -> None:
        moved = [shard for shard, head in heads.items() if epoch != self.epoch or head != self.heads.get(shard)]
        self.epoch = epoch
        self.heads = heads
        self._read_heads = heads
        for shard in moved:
            self._wake(shard)

    # --- long polls

    def advanced(self, shard: int, events: Sequence[dict[str, Any]]) -> None:
        """This process has committed ``events``, as they go out, dense and in order."""
        head: int = events[-1]["seq"]
        self.recent.add(self.epoch, shard, events, time.monotonic())
        if head > self.heads.get(shard, 0):
            self.heads = {**self.heads, shard: head}
        self._wake(shard)

    async def wait_beyond(self, shard: int, seq: int, timeout_s: float) -> None:
        """Returns when the head of ``shard`` may be beyond ``seq``, at the latest after ``timeout_s``."""
        if self.heads.get(shard, 0) > seq:
            return
        waiter = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(shard, set())
        waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            pass
        finally:
            waiters.discard(waiter)

    def _wake(self, shard: int) -> None:
        for waiter in self._waiters.get(shard, ()):
            if not waiter.done():
                waiter.set_result(None)


def suffix_of(row: Mapping[str, Any]) -> str:
    """Of an epoch, as everyone sees it, behind the stored one. ``row``: of ``READ``."""
    return f"-{_base36(row['system_identifier'])}-{int(row['timeline'], 16)}"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
