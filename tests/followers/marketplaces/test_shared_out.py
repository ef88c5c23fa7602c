"""Replicas have about as many channels each, and wait for no lease to run out."""

from followers.database.database import Database
from followers.marketplaces.channels import Channels, Wish
from followers.sealing import Seal
from tests.followers.running import SEALING_KEY
from tests.followers.stage import running
from tests.harness.system import ResidentSystem
from tests.harness.waiting import wait_until


async def test_a_replica_that_comes_later_gets_its_share_at_once(system: ResidentSystem, database: Database) -> None:
    """Leases are of five minutes here. No adapter is of that name: they are held all the same."""
    await system.start_ledger()
    stored = Channels(database, Seal([SEALING_KEY]))
    for name in ("here", "there"):
        await stored.add(name, "nobody", "owner", Wish({}, ("berlin",)), {}, "epoch", {0: 0})

    async def shared_by(replicas: int) -> bool:
        async with database.transaction() as connection:
            rows = await connection.fetch("select holder from channel_lease where until > clock_timestamp()")
        return len(rows) == 2 and len({row["holder"] for row in rows}) == replicas

    async with running(system):
        await wait_until(lambda: shared_by(1))
        async with running(system):
            await wait_until(lambda: shared_by(2))
