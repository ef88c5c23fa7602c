"""The keys and the secret that one running system uses itself, kept in its data folder.

Straight on the database, since no key exists before the first one. Raises what SQLAlchemy and asyncpg raise.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cli.data_folder import DataFolder
from ledger.database import create_engine
from ledger.keys import create_key, find_key, split_key

OWNER = "stockwire-up"
SCOPES = ("admin", "feed", "hub", "stock:read:*", "stock:write:*")


@dataclass(frozen=True, slots=True)
class Access:
    """``key``: everything, for whoever owns the folder. ``hub_key``: what hubs present to the ledger."""

    key: str
    hub_key: str
    token_secret: str


async def prepare_access(folder: DataFolder, database_url: str) -> Access:
    """Takes what the folder holds if the database still knows it, else makes new ones."""
    engine = create_engine(database_url, pool_size=1)
    try:
        async with engine.begin() as connection:
            key = await _key(connection, folder, "up.key", SCOPES)
            hub_key = await _key(connection, folder, "hub.key", ("hub",))
    finally:
        await engine.dispose()
    return Access(key, hub_key, folder.secret("token.secret") or folder.keep_secret("token.secret"))


async def _key(connection: AsyncConnection, folder: DataFolder, file: str, scopes: tuple[str, ...]) -> str:
    kept = folder.secret(file)
    if kept and (parts := split_key(kept)):
        known = await find_key(connection, parts[0])
        if known and known.is_good(parts[1], datetime.now(UTC)):
            return kept
    made = await create_key(connection, OWNER, scopes, name=file)
    return folder.keep_secret(file, made.key)
