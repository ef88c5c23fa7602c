"""The schema, as it changes beside the sales (Alembic, with steps of ours), and the epoch.

expand(url, shards)    create, or bring to the newest schema; ledgers of the version before go on
contract(url)          take away what only older ledgers need, once none of them lives
plan(url)              what either would do: steps, locks, sizes
read_schema(...)       what a database says about itself
new_epoch(url)         the last step of a restore
set_public_steps(...)  what the public sees of a level
set_up_cdc(url, role)  what Debezium needs

Each migration is an expand: ledgers of the version before go on, and what they write is right. It may bring a contract.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.database.engine import SERVER_SETTINGS, create_engine
from ledger.migrations import marks
from ledger.migrations.errors import Foreign, MigrationStopped, Newer, NotExpanded, OlderLedgers, TooOld
from ledger.migrations.failure import in_one_line
from ledger.migrations.revisions import Revision, newest, revisions
from ledger.migrations.schema import BORNE, Ledger, Schema
from server.version import VERSION
from wire.availability import PublicSteps

if TYPE_CHECKING:
    from alembic.config import Config

    from ledger.migrations.cdc import SetUp
    from ledger.migrations.planning import Planned

# Alembic is a third of what a ledger would load at its start, and only migrating needs it: imported where that begins.

SHARDS_DEFAULT = 4
SHARDS_MAX = 64
"""Every ledger runs a writer for each shard and every hub a channel: more of them cost more than they give."""

TURN_S_MAX = 60.0
"""How long one migration waits for another to end."""
_TURN_POLL_S = 0.2
_LOCK = 0x5354_4F43
"""Advisory lock of one key: whoever migrates."""

_SETTINGS = {
    **SERVER_SETTINGS,
    # What a role or the URL says for sales would end a migration in the middle, again and again.
    "statement_timeout": "0",
    "idle_session_timeout": "0",
    # Whoever is killed at the client's end must not go on here.
    "client_connection_check_interval": "1s",
    # Whoever looks through a large table does it alone: the other processors are for the sales.
    "max_parallel_workers_per_gather": "0",
}
STATEMENT_S_MAX = 600.0
"""Within which the database has to answer: a look for what is left of a backfill reads a whole partition."""
_UNLIMITED = text("select set_config(name, '0', false) from pg_settings where name = 'transaction_timeout'")
"""Which PostgreSQL has from 17: named at the start, it would keep us out of older ones."""

_UNUSED = text("select not exists(select from location) and not exists(select from operation)")

Say = Callable[[str], None]


async def expand(url: str, shards: int = SHARDS_DEFAULT, say: Say = lambda _: None) -> None:
    """Bring the database at ``url`` to the newest schema, beside the sales of ledgers of the version before.

    Safe to run again, from several processes at once, and after it was killed anywhere: it goes on where it was.
    Raises MigrationStopped if somebody holds a table for too long, or another migrates, MigrationRefused if the
    database bears this version no more, or what the database says.
    """
    from alembic import command

    async with _migrating(url) as connection:
        schema = await read_schema(connection)
        if schema is not None and schema.revision > newest():
            _leave(schema, say)
            return
        await connection.run_sync(lambda sync: command.upgrade(_config(sync, shards, say), "head"))
        if (await connection.execute(_UNUSED)).scalar_one():  # nobody is there from before the version before this one
            # But if somebody is: as any other database, it is contracted when it is asked for.
            with suppress(OlderLedgers):
                await _contract_until(connection, BORNE, say)


def _leave(schema: Schema, say: Say) -> None:
    """Whoever goes back to this version migrates too, as at every start with Compose: there is nothing to do.

    Raises TooOld if there is no way back.
    """
    _refuse_too_old(schema)
    say(f"schema {schema.revision} is newer than this version's {newest()}, and bears it")


async def contract(url: str, say: Say = lambda _: None) -> list[Revision]:
    """Take away what only older ledgers need. Returns what was contracted. There is no way back.

    Raises OlderLedgers if one lives, NotExpanded, Newer, MigrationStopped, or what the database says.
    """
    async with _migrating(url) as connection:
        _refuse_uncontractable(await read_schema(connection))
        return await _contract_until(connection, newest(), say)


async def _contract_until(connection: AsyncConnection, last: str, say: Say) -> list[Revision]:
    contracted = await _contracted(connection)
    due = [one for one in revisions() if one.contract and contracted < one.number <= last]
    for revision in due:
        await connection.run_sync(_contract, revision, say)
    return due


def _contract(connection: Connection, revision: Revision, say: Say) -> None:
    from ledger.migrations import migrator

    with marks.kept_out(connection, revision.number) as kept_out:
        older = marks.older(connection, revision.number)
        if older or not kept_out:
            raise OlderLedgers(revision.since, [str(one) for one in older])
        # From here on older ledgers are refused, also if what follows is stopped: it has begun.
        connection.execute(
            text("update ledger_meta set bears = :number, bears_version = :since"),
            {"number": revision.number, "since": revision.since},
        )
    migrator.run(connection, revision.number, revision.contract, say)
    connection.execute(text("update ledger_meta set contracted = :number"), {"number": revision.number})


async def plan(url: str, shards: int = SHARDS_DEFAULT, *, contracting: bool = False) -> "list[Planned]":
    """What ``expand`` or ``contract`` would do now. Changes nothing. Raises MigrationRefused or MigrationStopped."""
    from ledger.migrations import planning

    async with _connected(url) as connection:
        schema = await read_schema(connection)
        if contracting:
            _refuse_uncontractable(schema)
            return await planning.plan_contract(connection, await _contracted(connection))
        if schema is not None:
            _refuse_too_old(schema)
        return await planning.plan(connection, schema, shards)


def _refuse_uncontractable(schema: Schema | None) -> None:
    if schema is None or schema.revision < newest():
        raise NotExpanded
    if schema.revision > newest():
        raise Newer(this_ledger(), schema)


def _refuse_too_old(schema: Schema) -> None:
    if this_ledger().is_too_old_for(schema):
        raise TooOld(this_ledger(), schema)


async def _contracted(connection: AsyncConnection) -> str:
    contracted: str = (await connection.execute(text("select contracted from ledger_meta"))).scalar_one()
    return contracted


async def read_schema(connection: AsyncConnection) -> Schema | None:
    """What the database says about itself; None if it has no tables. Raises Foreign."""
    if (await connection.execute(text("select to_regclass('alembic_version')"))).scalar_one() is None:
        return None
    stated = (await connection.execute(text("select version_num from alembic_version"))).scalars().all()
    if not stated:
        return None
    if (await connection.execute(text("select to_regclass('ledger_meta')"))).scalar_one() is None:
        raise Foreign(", ".join(stated))
    (revision,) = stated
    # to_jsonb: a schema from before 0003 has no such columns, and bears its own ledgers alone.
    row = (
        await connection.execute(text("select to_jsonb(m)->>'bears', to_jsonb(m)->>'bears_version' from ledger_meta m"))
    ).one()
    return Schema(revision, row[0] or revision, row[1] or "the version that made it")


async def schema_of(url: str) -> Schema | None:
    """``read_schema`` on a connection of its own."""
    engine = create_engine(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            return await read_schema(connection)
    finally:
        await engine.dispose()


def this_ledger() -> Ledger:
    return Ledger(VERSION, newest())


async def new_epoch(url: str) -> str:
    """Tell every hub and client that history was rewritten: they drop what they hold. Returns the new epoch."""
    engine = create_engine(url, pool_size=1)
    try:
        async with engine.begin() as connection:
            epoch = make_epoch()
            await connection.execute(text("update ledger_meta set epoch = :epoch"), {"epoch": epoch})
            return epoch
    finally:
        await engine.dispose()


async def set_public_steps(url: str, steps: PublicSteps) -> str:
    """Change what the public sees of every level, also under traffic. Returns the new epoch that comes with it."""
    engine = create_engine(url, pool_size=1)
    try:
        async with engine.begin() as connection:
            # What commits meanwhile was decided with the old steps, and would count under the new epoch.
            await connection.execute(text("lock table stock_level in exclusive mode"))
            epoch = make_epoch()
            await connection.execute(
                text("update ledger_meta set epoch = :epoch, public_steps = :steps, public_low = :low"),
                {"epoch": epoch, "steps": list(steps.steps), "low": steps.low},
            )
            return epoch
    finally:
        await engine.dispose()


async def set_up_cdc(url: str, role: str, say: Say = lambda _: None) -> "SetUp":
    """Make what Debezium reads the log by, in a migrated database; what is there already stays.

    Raises CdcRefused, MigrationStopped, NotOwner, or what the database says.
    """
    from ledger.migrations import cdc

    async with _migrating(url) as connection:
        return await connection.run_sync(cdc.set_up, role, say)


def make_epoch() -> str:
    return secrets.token_hex(6)


@asynccontextmanager
async def _migrating(url: str) -> AsyncIterator[AsyncConnection]:
    """As ``_connected``, and the only one that migrates."""
    async with _connected(url) as connection:
        await _take_turn(connection)
        yield connection


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[AsyncConnection]:
    """Commits each statement by itself. Raises MigrationStopped or MigrationRefused for the database's failures."""
    engine = create_engine(url, pool_size=1, settings=_SETTINGS, command_timeout_s=STATEMENT_S_MAX)
    try:
        with in_one_line():
            async with engine.connect() as connection:
                alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await alone.execute(_UNLIMITED)
                yield alone
    finally:
        await engine.dispose()


async def _take_turn(connection: AsyncConnection) -> None:
    """The lock ends with the connection."""
    ends_at = time.monotonic() + TURN_S_MAX
    while not (await connection.execute(text(f"select pg_try_advisory_lock({_LOCK})"))).scalar_one():
        if time.monotonic() > ends_at:
            raise MigrationStopped(
                "another migration is under way, and goes on by itself: run this again when it has ended"
            )
        await asyncio.sleep(_TURN_POLL_S)


def _config(connection: Connection, shards: int, say: Say) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes.update(connection=connection, shards=shards, say=say)
    return config
