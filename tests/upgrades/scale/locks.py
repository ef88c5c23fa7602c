"""What a migration says about its locks, and what PostgreSQL says, sampled from beside."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import asyncpg

from ledger.migrations.steps import Lock

MODES = {lock.value.title().replace(" ", "") + "Lock": lock for lock in Lock}
"""As pg_locks names them. Weaker ones are those of reading, which hold up nobody but who wants a table to himself."""
SAMPLE_EVERY_S = 0.004

Locks = Mapping[str, Lock]
"""The strongest by table."""

SAMPLE = """
select l.virtualtransaction, coalesce(parent.relname, c.relname), l.mode, l.granted
  from pg_stat_activity a join pg_locks l on l.pid = a.pid join pg_class c on c.oid = l.relation
  left join pg_inherits i on i.inhrelid = c.oid left join pg_class parent on parent.oid = i.inhparent
 where a.application_name = 'stockwire command' and a.datname = current_database() and c.relkind in ('r', 'p')
   and c.relnamespace = 'public'::regnamespace and l.virtualtransaction not like '%/0'
"""
"""A transaction that has ended loses its number before its locks."""

_STEP = re.compile(r"  (\d+)\. (.*)")
_LOCK = re.compile(r"     ([A-Z ]+) on (\w+)(.*)")


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """As `stockwire migrate --plan` prints it. ``sizes``: what it says behind the name of each table."""

    number: int
    does: str
    locks: dict[str, Lock] = field(default_factory=dict)
    sizes: dict[str, str] = field(default_factory=dict)


def read_plan(printed: str) -> list[PlannedStep]:
    steps: list[PlannedStep] = []
    for line in printed.splitlines():
        if step := _STEP.fullmatch(line):
            steps.append(PlannedStep(int(step[1]), step[2]))
        elif lock := _LOCK.fullmatch(line):
            steps[-1].locks[lock[2]] = Lock(lock[1])
            steps[-1].sizes[lock[2]] = lock[3].rpartition("(")[2].rstrip(")")
    return steps


def strongest(modes: Mapping[str, list[str]]) -> dict[str, Lock]:
    """Of what pg_locks says by table."""
    order = list(Lock)
    found = {table: [MODES[mode] for mode in held if mode in MODES] for table, held in modes.items()}
    return {table: max(locks, key=order.index) for table, locks in found.items() if locks}


def beyond(taken: Locks, planned: Locks) -> dict[str, str]:
    """Locks that no plan said, or stronger ones than it said."""
    order = list(Lock)
    return {
        table: lock.value
        for table, lock in taken.items()
        if table not in planned or order.index(lock) > order.index(planned[table])
    }


class Sampler:
    """Looks every few milliseconds. ``held`` and ``waited``: modes by transaction and table."""

    def __init__(self) -> None:
        self.looks = 0
        self.held: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self.waited: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._stopped = asyncio.Event()

    async def run(self, url: str) -> None:
        connection = await asyncpg.connect(url)
        try:
            while not self._stopped.is_set():
                began = time.monotonic()
                for transaction, table, mode, granted in await connection.fetch(SAMPLE):
                    (self.held if granted else self.waited)[transaction][table].append(mode)
                self.looks += 1
                await asyncio.sleep(SAMPLE_EVERY_S - (time.monotonic() - began))
        finally:
            await connection.close()

    def stop(self) -> None:
        self._stopped.set()

    def of(self, transactions: Iterable[str]) -> Locks:
        """What was held in any of them."""
        together: dict[str, list[str]] = defaultdict(list)
        for transaction in transactions:
            for table, modes in self.held.get(transaction, {}).items():
                together[table] += modes
        return strongest(together)
