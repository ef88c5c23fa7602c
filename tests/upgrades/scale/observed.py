"""``python -m tests.upgrades.scale.observed``: `stockwire`, saying which locks each of its transactions holds.

PostgreSQL is asked within the transaction, as its last statement, when it has all the locks that it will have taken:
none is missed. A batch of a backfill commits by itself, so it is put into a transaction for that. What was seen are
lines of JSON among what the command prints.
"""

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from sqlalchemy import Connection, Engine, event

import stockwire_command

HELD = """
select coalesce(json_object_agg(name, modes), '{}')::text from (
  select coalesce(parent.relname, c.relname) as name, json_agg(distinct l.mode) as modes
    from pg_locks l join pg_class c on c.oid = l.relation
    left join pg_inherits i on i.inhrelid = c.oid left join pg_class parent on parent.oid = i.inhparent
   where l.pid = pg_backend_pid() and l.granted and c.relkind in ('r', 'p')
     and c.relnamespace = 'public'::regnamespace
   group by 1) held
"""
"""By table, a partition counted as its table."""
TRANSACTION = "select virtualtransaction from pg_locks where pid = pg_backend_pid() limit 1"
SAY_BEGAN = f"do $$begin raise notice 'began %', ({TRANSACTION}); end$$"
SAY_HELD = f"do $$begin raise notice 'held %', ({HELD}); end$$"

CHANGE = "set local lock_timeout"
"""What is in the one message that a change is sent as, and in no other."""
BATCH = "with found as materialized"


class Observer:
    """Between what the command sends and asyncpg."""

    def __init__(self, execute: Callable[..., Awaitable[str]]) -> None:
        self._execute = execute
        self._began = 0.0

    async def change(self, connection: "asyncpg.Connection", query: str, *arguments: Any, **options: Any) -> str:
        """In the place of ``asyncpg.Connection.execute``."""
        if CHANGE not in query:
            return await self._execute(connection, query, *arguments, **options)
        said: dict[str, str] = {}

        def hear(_connection: object, message: Any) -> None:
            word, _, rest = message.message.partition(" ")
            said[word] = rest

        connection.add_log_listener(hear)
        began = time.monotonic()
        try:
            return await self._execute(connection, f"{SAY_BEGAN};\n{query};\n{SAY_HELD}", *arguments, **options)
        finally:
            _tell(said["began"], began, said.get("held"))
            connection.remove_log_listener(hear)

    def before_batch(self, connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(BATCH):
            self._began = time.monotonic()
            connection.exec_driver_sql("begin")

    def after_batch(self, connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(BATCH):
            transaction = connection.exec_driver_sql(TRANSACTION).scalar_one()
            held = connection.exec_driver_sql(HELD).scalar_one()
            connection.exec_driver_sql("commit")
            _tell(transaction, self._began, held)


def _tell(transaction: str, began: float, held: str | None) -> None:
    """``held`` None: it was given up."""
    locks = None if held is None else json.loads(held)
    seen = {"transaction": transaction, "took_s": time.monotonic() - began, "locks": locks}
    print(json.dumps(seen), flush=True)  # noqa: T201  what this program is for


def main() -> None:
    observer = Observer(asyncpg.Connection.execute)

    async def execute(connection: "asyncpg.Connection", query: str, *arguments: Any, **options: Any) -> str:
        return await observer.change(connection, query, *arguments, **options)

    asyncpg.Connection.execute = execute
    event.listen(Engine, "before_cursor_execute", observer.before_batch)
    event.listen(Engine, "after_cursor_execute", observer.after_batch)
    stockwire_command.main()


if __name__ == "__main__":
    main()
