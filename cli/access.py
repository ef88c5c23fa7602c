"""A database made ready for one running system: migrated, with the keys that the system uses itself.

The keys are kept in the data folder and made straight on the database, since no key exists before the first one.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.data_folder import DataFolder
from ledger import migrations
from ledger.access.keys import create_key, find_key, split_key
from ledger.database.engine import create_engine
from ledger.database.reason import reason_of
from ledger.migrations.errors import MigrationRefused, MigrationStopped

_TIMEOUT_S = 300.0  # a migration of a large database
OWNER = "stockwire-up"
SCOPES = ("admin", "feed", "hub", "stock:read:*", "stock:write:*")
CONSOLE_SCOPES = ("feed", "hub", "stock:read:*")
EXPORTER_SCOPES = ("feed", "stock:read:*")
RELAY_SCOPES = ("feed", "stock:read:*")


@dataclass(frozen=True, slots=True)
class PreparedAccess:
    """``key``: everything, for whoever owns the folder. ``hub_key``: what hubs, and what sends webhooks, present to
    the ledger. ``console_key``: by which the console watches; ``exporter_key``: by which the exporter
    audits; ``relay_key``: by which the relay reads."""

    key: str = field(repr=False)
    hub_key: str = field(repr=False)
    console_key: str = field(repr=False)
    exporter_key: str = field(repr=False)
    relay_key: str = field(repr=False)
    token_secret: str = field(repr=False)


class DatabaseUnusable(Exception):
    """The database cannot be reached, or not be migrated; the message says why in one line."""


async def prepare_database(folder: DataFolder, database_url: str) -> PreparedAccess:
    """Raises DatabaseUnusable."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            await migrations.expand(database_url)
            return await _prepare_access(folder, database_url)
    except (MigrationStopped, MigrationRefused) as error:
        raise DatabaseUnusable(str(error)) from error
    except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseUnusable(f"the database cannot be used: {reason_of(error)}") from error


async def _prepare_access(folder: DataFolder, database_url: str) -> PreparedAccess:
    """Takes what the folder holds if the database still knows it, else makes new ones."""
    engine = create_engine(database_url, pool_size=1)
    try:
        async with engine.begin() as connection:
            key = await _key(connection, folder, "up.key", SCOPES)
            hub_key = await _key(connection, folder, "hub.key", ("hub",))
            console_key = await _key(connection, folder, "console.key", CONSOLE_SCOPES)
            exporter_key = await _key(connection, folder, "exporter.key", EXPORTER_SCOPES)
            relay_key = await _key(connection, folder, "relay.key", RELAY_SCOPES)
    finally:
        await engine.dispose()
    token_secret = folder.secret("token.secret") or folder.keep_secret("token.secret")
    return PreparedAccess(key, hub_key, console_key, exporter_key, relay_key, token_secret)


async def _key(connection: AsyncConnection, folder: DataFolder, file: str, scopes: tuple[str, ...]) -> str:
    kept = folder.secret(file)
    if kept and (parts := split_key(kept)):
        known = await find_key(connection, parts[0])
        if known and known.is_good(parts[1], datetime.now(UTC)):
            return kept
    made = await create_key(connection, OWNER, scopes, name=file)
    return folder.keep_secret(file, made.key)
