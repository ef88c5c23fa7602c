"""Alembic's entry: runs the migrations on the connection that ``ledger.migrations`` opened.

That connection commits each statement by itself: a migration makes its own short transactions, and none around all.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
