"""What the public sees of a level: its steps, and how often it has changed. A new epoch: hubs read all levels again."""

import secrets

from alembic import op

revision = "0002"
down_revision = "0001"

CHANGES = (
    "alter table ledger_meta add public_steps int[] not null default '{1,5,10}', add public_low int not null default 5",
    "alter table stock_level add view_version bigint not null default 0",
    "alter table stock_event add view_version bigint not null default 0",
    "update stock_level set view_version = 1 where version > 0",
)


def upgrade() -> None:
    for statement in CHANGES:
        op.execute(statement)
    op.execute(f"update ledger_meta set epoch = '{secrets.token_hex(6)}'")
