"""The database ends in the middle of a migration, or has no room for it: one line, and then it goes on."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from ledger import migrations
from ledger.migrations.errors import MigrationStopped
from tests.harness.postgres import PostgresServer
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.migrations.databases import expand_to

pytestmark = pytest.mark.usefixtures("processes")

LEVELS = 20_000
FILLED = f"""
insert into location values ('rome', 'Rome', 0);
with made as (insert into item (sku, name) select 's' || n, 'x' from generate_series(1, {LEVELS}) n returning sku)
insert into stock_level (shard, location, sku, on_hand, version) select 0, 'rome', sku, 1, 1 from made
"""
LEFT = "select count(*) from stock_level where view_version <> 1"
DISK_MIB = 40
BALLAST_BYTES = 2**16


async def filled_at_0001(url: str) -> None:
    await expand_to(url, "0001")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(FILLED)
    finally:
        await connection.close()


def at_the_backfill(line: str) -> bool:
    return "first view" in line


async def test_a_database_that_is_killed_in_a_backfill_goes_on_with_it(private_postgres: PostgresServer) -> None:
    url = private_postgres.url()
    await filled_at_0001(url)

    def kill(line: str) -> None:
        if at_the_backfill(line):
            private_postgres.kill()

    with pytest.raises(MigrationStopped, match=r"^the database cannot be reached .* run this again when it answers$"):
        await migrations.expand(url, say=kill)
    private_postgres.start()
    await migrations.expand(url)
    assert (await private_postgres.query(LEFT))[0][0] == 0


VACUUMS = """
select c.relname from pg_stat_activity a join pg_locks l using (pid) join pg_class c on c.oid = l.relation
 where a.backend_type = 'autovacuum worker' and c.relname = 'stock_level_0'
"""


async def test_an_autovacuum_that_would_take_hours_gives_way(private_postgres: PostgresServer) -> None:
    """It does for who waits longer than deadlock_timeout: a second, for which sales would stand still."""
    url = private_postgres.url()
    await filled_at_0001(url)
    await private_postgres.query("alter system set autovacuum_naptime = '1s'")
    await private_postgres.query("select pg_reload_conf()")
    crawling = (
        "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1"
    )
    await private_postgres.query(f"alter table stock_level_0 set ({crawling})")
    await private_postgres.query("update stock_level set on_hand = 2")

    async def vacuums() -> bool:
        return bool(await private_postgres.query(VACUUMS))

    await wait_until(vacuums, PATIENCE_S, what="an autovacuum of the levels")
    await migrations.expand(url)
    assert (await private_postgres.query(LEFT))[0][0] == 0


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own, which can be filled up."""
    folder = Path(tempfile.mkdtemp(prefix="stock-", dir="/tmp"))
    mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "tmpfs", str(folder))
    try:
        if os.geteuid() or subprocess.run(mount, check=False, timeout=PATIENCE_S, capture_output=True).returncode:
            pytest.skip("no file system may be mounted here")
        yield folder
        subprocess.run(("umount", "-l", str(folder)), check=True, timeout=PATIENCE_S)
    finally:
        folder.rmdir()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(BALLAST_BYTES)) == BALLAST_BYTES:
                pass
        except OSError:
            pass


async def test_a_migration_that_finds_the_disk_full_goes_on_when_there_is_room(
    postgres: PostgresServer, small_disk: Path
) -> None:
    space = small_disk / "space"
    space.mkdir()
    owner = postgres.data.stat()
    shutil.chown(space, owner.st_uid, owner.st_gid)
    name = f"test_{secrets.token_hex(6)}"
    await postgres.query(f"create tablespace {name} location '{space}'")
    await postgres.query(f"create database {name} tablespace {name}")
    url = postgres.url(name)
    try:
        await filled_at_0001(url)

        def no_room(line: str) -> None:
            if at_the_backfill(line):
                fill(small_disk / "ballast")

        with pytest.raises(MigrationStopped, match=r"^the database's disk is full \(could not extend .* has room$"):
            await migrations.expand(url, say=no_room)
        (small_disk / "ballast").unlink()
        await migrations.expand(url)
        assert (await postgres.query(LEFT, name))[0][0] == 0
    finally:
        postgres.drop_database(name)
        await postgres.query(f"drop tablespace {name}")
