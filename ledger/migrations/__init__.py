"""Schema migrations (Alembic), and the epoch.

upgrade(url, shards)   create or migrate; the number of shards is fixed the first time
is_current(url)        whether nothing is left to migrate
new_epoch(url)         the last step of a restore
set_public_steps(...)  what the public sees of a level
"""

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.database.engine import create_engine
from wire.availability import PublicSteps

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is a third of what a ledger would load at its start, and only migrating needs it: imported where that begins.

_VERSIONS = Path(__file__).parent / "versions"
SHARDS_DEFAULT = 4
SHARDS_MAX = 64
"""Every ledger runs a writer for each shard and every hub a channel: more of them cost more than they give."""


async def upgrade(url: str, shards: int = SHARDS_DEFAULT) -> None:
    """Bring the database at ``url`` to the newest schema. Safe to run again, and from several processes at once."""
    from alembic import command

    await _on_connection(url, lambda connection: command.upgrade(_config(connection, shards), "head"))


async def is_current(url: str) -> bool:
    engine = create_engine(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            return await is_current_on(connection)
    finally:
        await engine.dispose()


async def is_current_on(connection: AsyncConnection) -> bool:
    newest = max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))
    if (await connection.execute(text("select to_regclass('alembic_version')"))).scalar_one() is None:
        return False
    return (await connection.execute(text("select version_num from alembic_version"))).scalars().all() == [newest]


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


def make_epoch() -> str:
    return secrets.token_hex(6)


async def _on_connection(url: str, work: object) -> None:
    engine = create_engine(url, pool_size=1)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(work)  # type: ignore[arg-type]  # a callable that takes the sync connection
    finally:
        await engine.dispose()


def _config(connection: Connection, shards: int) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    config.attributes["shards"] = shards
    return config


def run(url: str, shards: int = SHARDS_DEFAULT) -> None:
    """``upgrade`` for callers without an event loop."""
    asyncio.run(upgrade(url, shards))
