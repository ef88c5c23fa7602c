"""What the public sees of a level: its steps, and how often it has changed. A new epoch: hubs read all levels again.

Ledgers of schema 0001 count no view versions. Until the contract a trigger counts for them: it runs for an event that
says 0, which a ledger that counts never writes, since a level's first movement makes it 1.
"""

import secrets

from ledger.migrations.migrator import expand
from ledger.migrations.steps import Backfill, Change, Lock, Step, has_column, has_trigger

revision = "0002"
down_revision = "0001"
SINCE = "0.1.0"

COUNT = """
create or replace function stockwire_count_view() returns trigger language plpgsql as $$
declare
  counted bigint;
  before int := new.on_hand - new.on_hand_delta - (new.reserved - new.reserved_delta);
  steps int[];
begin
  select l.view_version into counted from stock_level l
   where l.shard = new.shard and l.sku = new.sku and l.location = new.location;
  if counted = 0 and new.version > 1 then
    counted := 1;  -- as the backfill says
  end if;
  select m.public_steps into steps from ledger_meta m;
  if new.version = 1 or (select count(*) from unnest(steps) s where s <= before)
                     <> (select count(*) from unnest(steps) s where s <= new.on_hand - new.reserved) then
    counted := counted + 1;
  end if;
  update stock_level l set view_version = counted
   where l.shard = new.shard and l.sku = new.sku and l.location = new.location;
  new.view_version := counted;
  return new;
end $$"""

TRIGGER = (
    "create trigger count_view before insert on stock_event"
    " for each row when (new.view_version = 0) execute function stockwire_count_view()"
)


def steps(_shards: int) -> tuple[Step, ...]:
    return (
        Change(
            "the public steps of the system",
            (
                "alter table ledger_meta add column public_steps int[] not null default '{1,5,10}',"
                " add column public_low int not null default 5",
            ),
            {"ledger_meta": Lock.ACCESS_EXCLUSIVE},
            unless=has_column("ledger_meta", "public_low"),
        ),
        Change(
            "how often the view of a level has changed",
            ("alter table stock_level add column view_version bigint not null default 0",),
            {"stock_level": Lock.ACCESS_EXCLUSIVE},
            unless=has_column("stock_level", "view_version"),
        ),
        Change(
            "the same in each event, counted by a trigger for ledgers that do not",
            (
                "alter table stock_event add column view_version bigint not null default 0",
                COUNT,
                TRIGGER,
            ),
            {"stock_event": Lock.ACCESS_EXCLUSIVE},
            unless=has_trigger("stock_event", "count_view"),
        ),
        Backfill(
            "levels that have moved are in their first view",
            "stock_level",
            "view_version = 1",
            "version > 0 and view_version = 0",
        ),
        Change(
            "a new epoch",
            (f"update ledger_meta set epoch = '{secrets.token_hex(6)}'",),
            {"ledger_meta": Lock.ROW_EXCLUSIVE},
        ),
    )


CONTRACT: tuple[Step, ...] = (
    Change(
        "nobody has to be counted for",
        ("drop trigger if exists count_view on stock_event", "drop function if exists stockwire_count_view()"),
        {"stock_event": Lock.ACCESS_EXCLUSIVE},
    ),
)
LOST = "Ledgers from before 0.1.0 would write events whose public view has version 0."


def upgrade() -> None:
    expand(revision, steps)
