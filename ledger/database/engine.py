"""The engine: how this process talks to PostgreSQL."""

from collections.abc import Mapping
from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ledger.database.connector import COMMAND_TIMEOUT_S, Connector
from server.version import VERSION

SERVER_SETTINGS = {
    "application_name": "stockwire command",
    "timezone": "UTC",
    # A stopped replica must not stop the others.
    "idle_in_transaction_session_timeout": "1s",
    "lock_timeout": "2s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "jit": "off",
}

LEDGER_NAME = "stockwire ledger "
"""The application name of a ledger's connections, before its version."""
LEDGER_SETTINGS = {**SERVER_SETTINGS, "application_name": f"{LEDGER_NAME}{VERSION}"}

COMMIT_SETTINGS = {
    **LEDGER_SETTINGS,
    # Planning is half of what a small batch costs, so its plan is kept. Kept plans fell from 10 to 67 ms per batch of
    # 400 as tables grew unanalysed; without sequential scans there is only the plan by index, good at every size.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
}
"""For the writers' connections."""


def create_engine(
    database: str | Connector,
    pool_size: int = 10,
    settings: Mapping[str, str] = SERVER_SETTINGS,
    command_timeout_s: float | None = COMMAND_TIMEOUT_S,
) -> AsyncEngine:
    """An engine for ``postgresql://...``, or one of several that share a connector. The caller disposes of it.

    Raises SettingsError for a URL that cannot be used.
    """
    connector = Connector(database) if isinstance(database, str) else database
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(connector.connect, settings, command_timeout_s),
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=COMMAND_TIMEOUT_S,
    )
    connector.attend(engine)
    return engine
