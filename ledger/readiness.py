"""Whether a ledger takes requests, and what it waits for while it does not."""

import asyncio
import logging
import time

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ledger import migrations
from ledger.database.connector import READ_ONLY, STANDBY, STANDING, Connector, seen_of
from ledger.database.reading import reaching_database, reading
from ledger.feed.heads import Heads
from ledger.migrations.errors import Foreign
from ledger.migrations.marks import Contracted
from ledger.migrations.schema import too_new
from server.problems import Unavailable
from server.settings.database_parameters import SETTING
from server.settings.environment import SettingsError

DATABASE_POLL_S = 0.2
LOG_EVERY_S = 5.0

_STANDING = text(STANDING)

log = logging.getLogger(__name__)


class NoDatabase(Exception):
    """The database did not come, or was not migrated, within the time that the settings allow, or bears us no more."""


class Readiness:
    """Not ready until ``open`` is called, not ready after ``stop``, and between them as ready as the database."""

    def __init__(self, connector: Connector, read_engine: AsyncEngine, heads: Heads, wait_s: float) -> None:
        """``wait_s``: for the database, at the start."""
        self._connector = connector
        self._read_engine = read_engine
        self._heads = heads
        self._wait_s = wait_s
        self._ledger = migrations.this_ledger()
        self._stopping = False
        self._waiting_for: str | None = "the database has not been reached yet"
        self._database_state = ""  # for whoever runs this ledger, and not for its clients

    @property
    def stopping(self) -> bool:
        return self._stopping

    def open(self) -> None:
        """Requests are taken from now on."""
        self._waiting_for = None

    def stop(self) -> None:
        """Safe at any time, and twice."""
        self._stopping = True

    async def why_not(self) -> str | None:
        """None: requests are taken. Else the reason, as clients and balancers are told it."""
        if self._stopping:
            return "the ledger is stopping"
        if self._waiting_for is None:
            try:
                async with reading(self._read_engine) as connection:
                    await self._refuse_standby(connection)
            except Unavailable as error:
                return error.detail
        return self._waiting_for

    async def wait_for_database(self) -> bool:
        """Until the database takes this ledger's work. False if the ledger stops before.

        Raises NoDatabase or SettingsError.
        """
        ends_at = time.monotonic() + self._wait_s
        logged_at = 0.0
        while not self._stopping:
            self._waiting_for = await self._missing_of_database()
            if self._waiting_for is None:
                return True
            if time.monotonic() > ends_at:
                raise NoDatabase(f"{self._waiting_for} (waited {self._wait_s:g} s; {self._database_state})")
            if time.monotonic() - logged_at > LOG_EVERY_S:
                logged_at = time.monotonic()
                log.warning("waiting for the database until=%r reason=%r", self._waiting_for, self._database_state)
            await asyncio.sleep(DATABASE_POLL_S)
        return False

    async def _missing_of_database(self) -> str | None:
        """What keeps this ledger from working on the database; None if nothing does. Reads the heads."""
        try:
            async with reading(self._read_engine) as connection:
                await self._refuse_standby(connection)
            async with reading(self._read_engine) as connection:
                schema = await migrations.read_schema(connection)
            self._database_state = "it was reached"
            if self._ledger.is_too_new_for(schema):
                return too_new(self._ledger, schema)
            async with reaching_database():
                await self._heads.refresh()
        except Foreign as error:
            raise NoDatabase(str(error)) from None
        except Unavailable as error:
            if isinstance(error.__cause__, Contracted):
                raise NoDatabase(error.detail) from None
            if isinstance(error.__cause__, asyncpg.ClientConfigurationError):
                raise SettingsError(f"{SETTING}: {first_line(error.__cause__)}") from None
            self._database_state = first_line(error.__cause__)
            return f"{error.detail}: start it, or set STOCKWIRE_DATABASE_URL"
        return None

    async def _refuse_standby(self, connection: AsyncConnection) -> None:
        """Raises NoPrimary. A connection that stands may have come to speak to another server, behind a pooler."""
        standby, read_only = (await connection.execute(_STANDING)).one()
        if standby or read_only:
            self._connector.deny(seen_of(connection), STANDBY if standby else READ_ONLY)


def first_line(error: BaseException | None) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
