"""Every fault of tests/chaos, and what else goes wrong in a launch, with the alerts that it raises."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import asyncpg

from ledger import migrations
from ledger.limits import LINES_MAX
from stockwire import AsyncClient, StockwireError, receipt, sale
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.field import Field
from tests.followers.exporter.breaking import New, breaking, write
from tests.harness.processes import ServerProcess
from tests.harness.waiting import PATIENCE_S

T = TypeVar("T")
QUICK, HUNG, PAST = 10.0, 5.0, 15.0
"""By what durations are divided. HUNG: a ledger whose database hangs takes 2 s for a scrape. PAST: what was ten minutes
ago has to come first."""
LOCATION, SOLD, BROKEN, SCARCE = "berlin", "KETTLE", "TEAPOT", "CUP"
PLENTY, FEW = 1_000_000, 300
CALLERS = 12
"""Each with as many lines as one operation may have: many times what a writer takes at once."""


@dataclass(frozen=True, slots=True)
class Stage:
    """``client``: sells at any of the ledgers, through the cables."""

    field: Field
    exporter: ServerProcess
    client: AsyncClient


Struck = Callable[[Stage], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """``told``: the alerts that reach the webhook. ``may``: those that may beside them; no others. ``as_it_is_s``: of
    a threshold in seconds, which is not divided."""

    name: str
    struck: Struck
    told: frozenset[str]
    factor: float = QUICK
    may: frozenset[str] = frozenset()
    as_it_is_s: float = 0

    def fits(self, told: set[str]) -> bool:
        return self.told <= told <= self.told | self.may


class _Last(random.Random):
    """Of two the second: the exporter follows the first."""

    def choice(self, seq: Sequence[T]) -> T:  # type: ignore[override]  # random.Random takes anything with an index
        return seq[-1]


def _of_chaos(name: str, *told: str, factor: float = QUICK, may: Sequence[str] = ()) -> Case:
    fault: Fault = next(one for one in FAULTS if one.name == name)

    @asynccontextmanager
    async def struck(stage: Stage) -> AsyncIterator[None]:
        await fault.strike(stage.field, _Last(1))
        try:
            yield
        finally:
            await fault.end(stage.field, _Last(1))

    return Case(name, struck, frozenset(told), factor, frozenset(may))


@asynccontextmanager
async def _all_ledgers(stage: Stage) -> AsyncIterator[None]:
    async with _killed(stage.field.system.ledgers):
        yield


@asynccontextmanager
async def _all_hubs(stage: Stage) -> AsyncIterator[None]:
    async with _killed(stage.field.system.hubs):
        yield


@asynccontextmanager
async def _exporter_killed(stage: Stage) -> AsyncIterator[None]:
    async with _killed([stage.exporter]):
        yield


@asynccontextmanager
async def _killed(processes: Sequence[ServerProcess]) -> AsyncIterator[None]:
    for process in processes:
        process.kill()
    yield
    await asyncio.gather(*(process.restart() for process in processes))


@asynccontextmanager
async def _exporter_hung(stage: Stage) -> AsyncIterator[None]:
    stage.field.ledgers[0].stall()
    yield
    stage.field.ledgers[0].heal()


@asynccontextmanager
async def _hubs_out_of_reach(stage: Stage) -> AsyncIterator[None]:
    for cable in stage.field.hubs:
        cable.refuse()
    yield
    for cable in stage.field.hubs:
        cable.heal()


@asynccontextmanager
async def _snapshot(stage: Stage) -> AsyncIterator[None]:
    async with snapshot(stage.field.postgres.url()):
        yield


@asynccontextmanager
async def snapshot(database_url: str) -> AsyncIterator[None]:
    """Somebody's report, that is not ended."""
    connection = await asyncpg.connect(database_url, timeout=PATIENCE_S)
    try:
        async with connection.transaction(isolation="repeatable_read"):
            await connection.fetchval("select count(*) from stock_level")
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def _locked(stage: Stage) -> AsyncIterator[None]:
    """Nobody may write, while much is asked for."""
    connection = await asyncpg.connect(stage.field.postgres.url(), timeout=PATIENCE_S)
    try:
        async with connection.transaction():
            await connection.execute("lock table stock_level in exclusive mode")
            asking = [asyncio.create_task(_ask_for_much(stage.client)) for _ in range(CALLERS)]
            try:
                yield
            finally:
                for task in asking:
                    task.cancel()
                await asyncio.gather(*asking, return_exceptions=True)
    finally:
        await connection.close()


async def _ask_for_much(client: AsyncClient) -> None:
    while True:
        with suppress(StockwireError):
            await client.operation([receipt(SOLD, LOCATION, 1)] * LINES_MAX)


@asynccontextmanager
async def _rewritten(stage: Stage) -> AsyncIterator[None]:
    await migrations.new_epoch(stage.field.postgres.url())
    yield


@asynccontextmanager
async def _depleted(stage: Stage) -> AsyncIterator[None]:
    await stage.client.items.put(SCARCE, SCARCE)
    await stage.client.operation([receipt(SCARCE, LOCATION, FEW)])
    for _ in range(FEW // 10):
        await stage.client.operation([sale(SCARCE, LOCATION, 1)])
    yield
    await stage.client.operation([receipt(SCARCE, LOCATION, PLENTY)])


def _broken(
    name: str, told: str, *new: New, sql: str = "", mended: Sequence[New] = (), may: Sequence[str] = ()
) -> Case:
    """What is found is counted until the exporter is started anew. ``mended``: what it would find again then."""

    @asynccontextmanager
    async def struck(stage: Stage) -> AsyncIterator[None]:
        async with breaking(stage.field.postgres.url()) as database:
            await (database.execute(sql) if sql else write(database, *new))
        yield
        if mended:
            async with breaking(stage.field.postgres.url()) as database:
                await write(database, *mended)
        await stage.exporter.restart()

    return Case(f"by SQL: {name}", struck, frozenset([told]), may=frozenset(may))


ROW = f"update stock_level set on_hand = on_hand + 7 where sku = '{BROKEN}'"
CASES = [
    _of_chaos("kill -9 PostgreSQL", "StockwireDatabaseAway", factor=HUNG),
    _of_chaos("SIGSTOP PostgreSQL", "StockwireDatabaseAway", factor=HUNG),
    _of_chaos("database cut", "StockwireDatabaseAway", factor=HUNG),
    _of_chaos("database stalled", "StockwireDatabaseAway", factor=HUNG),
    _of_chaos("disk full", "StockwireDatabaseAway", factor=HUNG),
    _of_chaos("kill -9 Valkey", "StockwireBrokerAway"),
    _of_chaos("SIGSTOP Valkey", "StockwireBrokerAway"),
    _of_chaos("broker cut", "StockwireBrokerAway"),
    _of_chaos("broker half open", "StockwireBrokerAway"),
    _of_chaos("kill -9 a ledger", "StockwireProcessAway"),
    # it stands still in the middle of a transaction, or not
    _of_chaos("SIGSTOP a ledger", "StockwireProcessAway", may=["StockwireSnapshotHeldOpen"]),
    _of_chaos("kill -9 a hub", "StockwireProcessAway"),
    _of_chaos("SIGSTOP a hub", "StockwireProcessAway"),
    _of_chaos("broker buffer overflow", "StockwireProcessAway"),
    _of_chaos("30% of answers dropped", "StockwireAnswersLost"),
    # clients come back elsewhere, or take what they are owed from the buffers of the way
    _of_chaos("watchers cut"),
    _of_chaos("watchers stalled"),
    _of_chaos("watchers half open"),
    _of_chaos("watchers dripping"),
    _of_chaos("reset in mid-frame"),
    # all of them jump together, and agree
    _of_chaos("clock jumps"),
    Case("hubs out of reach", _hubs_out_of_reach, frozenset(["StockwireClientsGone"]), PAST),
    Case("all ledgers killed", _all_ledgers, frozenset(["StockwireNoLedger"])),
    Case("all hubs killed", _all_hubs, frozenset(["StockwireNoHub"])),
    Case("exporter killed", _exporter_killed, frozenset(["StockwireProcessAway"])),
    Case("the exporter's ledger hangs", _exporter_hung, frozenset(["StockwireAuditBehind"]), as_it_is_s=5),
    Case("a snapshot held open", _snapshot, frozenset(["StockwireSnapshotHeldOpen"]), as_it_is_s=10),
    Case("all levels locked", _locked, frozenset(["StockwireQueueGrowing"]), may=frozenset(["StockwireBisections"])),
    Case("an older database", _rewritten, frozenset(["StockwireHistoryRewritten"])),
    Case("selling out", _depleted, frozenset(["StockwireRapidDepletion"])),
    _broken("a balance", "StockwireAuditViolation", New(LOCATION, BROKEN, wrong={"on_hand": 3})),
    _broken("a version", "StockwireAuditViolation", New(LOCATION, BROKEN, skipped=1)),
    _broken(
        "oversold",
        "StockwireOversold",
        New(LOCATION, BROKEN, wrong={"reserved_delta": 2 * PLENTY}),
        mended=[New(LOCATION, BROKEN, wrong={"reserved_delta": -2 * PLENTY})],
    ),
    _broken(
        "negative",
        "StockwireOversold",
        New(LOCATION, BROKEN, wrong={"on_hand_delta": -2 * PLENTY}),
        mended=[New(LOCATION, BROKEN, wrong={"on_hand_delta": 2 * PLENTY})],
    ),
    _broken("a row", "StockwireAuditViolation", sql=ROW),
    # hubs wait for it for ever: nothing comes after this one
    _broken("a seq", "StockwireAuditViolation", New(LOCATION, BROKEN, ahead=2), may=["StockwireHubNotFresh"]),
]
