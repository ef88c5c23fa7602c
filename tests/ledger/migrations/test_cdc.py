"""`stockwire migrate --cdc`: Debezium may read the events and nothing else, and nothing is half done."""

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from ledger import migrations
from ledger.database.slots import PUBLICATION
from ledger.migrations.cdc import Found, statements_for
from ledger.migrations.errors import CdcRefused
from tests.harness.postgres import PostgresServer

PUBLISHED = f"""
select p.oid, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot, puballtables,
       array(select tablename::text from pg_publication_tables where pubname = '{PUBLICATION}') as tables
  from pg_publication p where pubname = '{PUBLICATION}'
"""
TABLES = "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
RIGHTS = "select rolsuper or rolcreaterole or rolcreatedb or rolbypassrls from pg_roles where rolname = $1"
AS_MEANT = (True, False, False, False, True, False, ["stock_event"])
SOUND = Found("shop", "shop", "public", "logical", True, True, False, False, False, False)


@pytest.fixture
def role(postgres: PostgresServer) -> Iterator[str]:
    """The name of a role, which belongs to the whole cluster: gone at the end, with what it may do."""
    name = f"cdc_{secrets.token_hex(4)}"
    yield name
    postgres.execute(f"drop role if exists {name}", "postgres")


@pytest.fixture
def url(database_url: str, role: str, postgres: PostgresServer) -> Iterator[str]:
    """Of a migrated database, in which the role may nothing any more at the end."""
    yield database_url
    database = urlsplit(database_url).path.lstrip("/")
    if postgres.execute(f"select from pg_roles where rolname = '{role}'", database):
        postgres.execute(f"drop owned by {role}", database)


async def published(connection: asyncpg.Connection) -> tuple[int, tuple[object, ...]]:
    oid, *rest = await connection.fetchrow(PUBLISHED)
    return oid, tuple(rest)


async def test_debezium_reads_the_events_and_no_other_table(url: str, role: str, postgres: PostgresServer) -> None:
    done = await migrations.set_up_cdc(url, role)
    assert (done.made, done.replicates, done.wal_level) == (True, True, "replica")
    owner = await asyncpg.connect(url)
    try:
        oid, as_made = await published(owner)
        assert as_made == AS_MEANT
        await owner.execute(f"alter role {role} password 'x'")
        tables = await owner.fetch(TABLES)
        reader = await asyncpg.connect(url, user=role, password="x")
        try:
            await reader.fetch("select * from stock_event")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.execute("delete from stock_event")
            others = [name for (name,) in tables if name != "stock_event"]
            assert len(others) > 10
            for name in others:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await reader.fetch(f"select from {name}")
        finally:
            await reader.close()
        assert not await owner.fetchval(RIGHTS, role)

        again = await migrations.set_up_cdc(url, role)
        assert (again.made, again.replicates) == (False, True)
        assert await published(owner) == (oid, AS_MEANT)
    finally:
        await owner.close()


OTHERS = (
    "for all tables",
    "for table stock_event",
    "for table stock_event, api_key with (publish = 'insert', publish_via_partition_root)",
    "for table stock_event (shard, seq) with (publish = 'insert', publish_via_partition_root)",
    "for table stock_event where (shard = 0) with (publish = 'insert', publish_via_partition_root)",
    "for tables in schema public with (publish = 'insert', publish_via_partition_root)",
)


async def test_a_publication_that_tells_more_or_less_is_made_anew(url: str, role: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for other in OTHERS:
            await connection.execute(f"drop publication if exists {PUBLICATION}")
            await connection.execute(f"create publication {PUBLICATION} {other}")
            await migrations.set_up_cdc(url, role)
            assert (await published(connection))[1] == AS_MEANT, other
    finally:
        await connection.close()


async def test_who_may_make_no_role_is_told_what_to_have_run_and_nothing_is_done(
    empty_database_url: str, role: str, postgres: PostgresServer
) -> None:
    owner, database = f"{role}_owner", urlsplit(empty_database_url).path.lstrip("/")
    postgres.execute(f"create role {owner} login password 'x'", database)
    try:
        postgres.execute(f"grant create on schema public to {owner}", database)
        postgres.execute(f"grant create on database {database} to {owner}", database)
        credentials, _, rest = empty_database_url.removeprefix("postgresql://").partition("@")
        assert credentials
        url = f"postgresql://{owner}:x@{rest}"
        await migrations.expand(url)
        with pytest.raises(CdcRefused, match=f"run `create role {role} login replication` as a superuser"):
            await migrations.set_up_cdc(url, role)
        assert postgres.execute("select from pg_publication", database) == []
        postgres.execute(f"create role {role} login replication", database)
        done = await migrations.set_up_cdc(url, role)
        assert (done.made, done.replicates) == (False, True)
        assert len(postgres.execute("select from pg_publication", database)) == 1
    finally:
        postgres.execute(f"drop owned by {role}, {owner} cascade", database)
        postgres.execute(f"drop role {owner}", database)


def test_who_may_not_publish_is_told_what_to_grant() -> None:
    with pytest.raises(CdcRefused, match='grant create on database shop to "shop"'):
        statements_for(SOUND._replace(may_publish=False), "cdc")


@pytest.mark.parametrize(
    ("there", "first"),
    [
        ({}, 'create role "cdc" login replication'),
        ({"role_exists": True}, 'alter role "cdc" login replication'),
        ({"role_exists": True, "may_make_roles": False}, "create publication"),
        ({"role_exists": True, "role_replicates": True}, "create publication"),
        ({"role_exists": True, "role_replicates": True, "published": True}, "drop publication"),
        ({"role_exists": True, "role_replicates": True, "published": True, "published_so": True}, "grant connect"),
    ],
)
def test_what_is_there_is_not_made_again(there: dict[str, Any], first: str) -> None:
    assert statements_for(SOUND._replace(**there), "cdc")[0].startswith(first)
