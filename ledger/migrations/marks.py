"""Ledgers show themselves in the database: each of their connections holds a shared advisory lock that names a schema.

The lock goes with its connection, however that ends, so nobody who is gone is counted. Whoever contracts takes the
locks of all older schemas for itself: as long as it has them, no older ledger is connected, and none can connect.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy import Connection, text

from ledger.database.connector import CheckedConnection, Unusable
from ledger.migrations.schema import Ledger, Schema, too_old

CLASS = 0x5354_4F43
"""Of the advisory locks by which ledgers show themselves; the second key is the revision that they know."""

UNMARKED = "stockwire"
"""The application name of ledgers from before 0.1.0, which hold no mark."""

_MARK = f"select pg_advisory_lock_shared({CLASS}, $1::int)"
_BORNE = """
select v.version_num, to_jsonb(m)->>'bears', to_jsonb(m)->>'bears_version' from ledger_meta m, alembic_version v
"""
"""``to_jsonb``: a database that was not expanded to 0003 has no such columns, and refuses nobody."""

_OTHERS = text("""
select a.pid, a.application_name, l.objid::int as knows
  from pg_stat_activity a
  left join pg_locks l on l.pid = a.pid and l.locktype = 'advisory' and l.database = a.datid and l.objsubid = 2
                      and l.classid = :class and l.mode = 'ShareLock'
 where a.datname = current_database() and a.pid <> pg_backend_pid()
   and (l.objid is not null or a.application_name = :unmarked)
 order by a.pid
""")


class Contracted(Unusable):
    """The database was contracted, and does not bear this ledger any more. There is nothing to wait for: it ends."""


async def admit(ledger: Ledger, connection: CheckedConnection) -> None:
    """Marks a ledger's new connection, and then asks whether it is borne. Raises Contracted."""
    await connection.execute(_MARK, int(ledger.knows))
    try:
        row = await connection.fetchrow(_BORNE)
    except asyncpg.UndefinedTableError:
        return  # no tables yet: whoever waits for them asks for the schema
    if row is not None and row[1] is not None:
        schema = Schema(*row)
        if ledger.is_too_old_for(schema):
            raise Contracted(too_old(ledger, schema))


class Living(NamedTuple):
    """A connection of a ledger. ``knows``: its schema; None: from before 0.1.0."""

    pid: int
    name: str
    knows: str | None

    def __str__(self) -> str:
        known = "from before 0.1.0" if self.knows is None else f"knows schema {self.knows}"
        return f"{self.name} ({known}, PostgreSQL process {self.pid})"


def living(connection: Connection) -> list[Living]:
    """Connections of ledgers, and of what may be one."""
    rows: Any = connection.execute(_OTHERS, {"class": CLASS, "unmarked": UNMARKED})
    return [Living(pid, name, None if knows is None else f"{knows:04}") for pid, name, knows in rows]


def older(connection: Connection, revision: str) -> list[Living]:
    """Those who do not know ``revision``."""
    return [one for one in living(connection) if one.knows is None or one.knows < revision]


@contextmanager
def kept_out(connection: Connection, revision: str) -> Iterator[bool]:
    """No ledger that knows less than ``revision`` is marked, nor can be, until the end. False: one is."""
    taken: list[int] = []
    try:
        for known in range(int(revision)):
            if not connection.execute(text(f"select pg_try_advisory_lock({CLASS}, {known})")).scalar_one():
                break
            taken.append(known)
        yield len(taken) == int(revision)
    finally:
        for known in taken if not connection.invalidated else ():  # else they have gone with the session
            connection.execute(text(f"select pg_advisory_unlock({CLASS}, {known})"))
