"""Alembic's entry: runs the migrations on the connection that ``ledger.migrations.upgrade`` opened."""

from alembic import context
from sqlalchemy import text

LOCK = 0x5354_4F43
"""Advisory lock: two replicas that migrate at once take turns."""

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True)
connection.execute(text("set local lock_timeout = '60s'"))
connection.execute(text("set local idle_in_transaction_session_timeout = 0"))  # reading the versions may take long
connection.execute(text(f"select pg_advisory_xact_lock({LOCK})"))
with context.begin_transaction():
    context.run_migrations()
