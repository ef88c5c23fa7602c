"""One fault after the other, and after each: the oracle, the audit, every view, every connection."""

import asyncio
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from ledger.database.audit import audit
from ledger.database.engine import create_engine
from stockwire import Level, Refused, Unavailable
from stockwire.operation import Event
from stockwire.oracle import judge
from stockwire.view import Key
from tests.chaos.faults import Fault
from tests.chaos.field import SPREAD, Field
from tests.chaos.lag import Lag
from tests.chaos.traffic import Traffic
from tests.harness.waiting import PATIENCE_S, wait_until

BEFORE, AFTER = 40, 40
"""Operations between two faults, and after each end before the writers are held back."""
HEAL_S_MAX = 10.0
"""design.md, I4."""
LOOK_S = 0.05
TASKS_SLACK = 24
"""Tasks that all servers may have beside those at the beginning, when HEAL_S_MAX have passed: requests of the moment.
What leaks with each connection or fault would pass it within a minute."""
TASKS = re.compile(r"^stockwire_(?:ledger|hub)_tasks (\d+)\.0$", re.MULTILINE)
KILLS_CHECKED = 20
BETWEEN_KILLS_S = (0.05, 1.2)
"""Time enough to come back to work, or not: a ledger finds dead connections out one by one."""
CONNECTIONS_MAX = SPREAD * 24
"""Of all ledgers to PostgreSQL: ten for reads, two and one a shard for commits, and as many again for those that a kill
has left and PostgreSQL has not noticed yet would already be a leak."""

OVERDUE = "select count(*) from hold where state = 'pending' and expires_at < clock_timestamp() - interval '1 s'"


class NotHealed(AssertionError):
    """After a fault something is not as it was promised."""


@dataclass
class Row:
    """What one kind of fault did. Times in seconds."""

    fault: str
    struck: int = 0
    operations: int = 0
    unknown: int = 0
    refused: int = 0
    longest_lag_s: float = 0.0
    longest_heal_s: float = 0.0
    lost: int = 0
    doubled: int = 0
    impossible: str = ""


@dataclass
class Campaign:
    """``strike`` as often as you like; every finding ends it with NotHealed. ``hold``: how long faults last, as a share
    of what they last in a long run."""

    under_fire: Field
    traffic: Traffic
    lag: Lag
    chance: random.Random
    say: Callable[[str], None] = lambda _: None
    hold: float = 1.0
    rows: dict[str, Row] = field(default_factory=dict)
    _events: dict[int, list[Event]] = field(default_factory=dict)
    _tasks_at_first: int | None = None

    async def strike(self, fault: Fault) -> Row:
        row = self.rows.setdefault(fault.name, Row(fault.name))
        if row.impossible or (reason := fault.impossible(self.under_fire)):
            row.impossible = row.impossible or reason
            return row
        checked = self.traffic.ended
        if self._tasks_at_first is None:
            self._tasks_at_first = await self._tasks()
        self.traffic.go()
        await self.traffic.done(BEFORE)
        struck_at = time.monotonic()
        await fault.strike(self.under_fire, self.chance)
        await asyncio.sleep(self.hold * self.chance.uniform(*fault.hold_s))
        await fault.end(self.under_fire, self.chance)
        ended_at = time.monotonic()
        await self.traffic.pause()
        healed_s = await self._heal(ended_at)
        self.lag.broken(fault.name, struck_at, ended_at)
        self.traffic.go()
        await self.traffic.done(AFTER)
        await self.traffic.pause()
        await self._heal(time.monotonic())
        row.struck += 1
        row.longest_heal_s = max(row.longest_heal_s, healed_s)
        row.longest_lag_s = max(row.longest_lag_s, self.lag.longest_s(struck_at))
        await self._verify(row, checked)
        self.say(f"{fault.name}: healed in {healed_s:.2f} s, {row.operations:,} operations checked")
        return row

    async def kill_again_and_again(self, fault: Fault, times: int) -> None:
        """At random moments under traffic that never stops; everything is checked after each KILLS_CHECKED."""
        row = self.rows.setdefault(fault.name, Row(fault.name))
        for first in range(0, times, KILLS_CHECKED):
            checked, began = self.traffic.ended, time.monotonic()
            self.traffic.go()
            for _ in range(min(KILLS_CHECKED, times - first)):
                await asyncio.sleep(self.chance.uniform(*BETWEEN_KILLS_S))
                await fault.strike(self.under_fire, self.chance)
                await fault.end(self.under_fire, self.chance)
                row.struck += 1
            ended_at = time.monotonic()
            await self.traffic.pause()
            row.longest_heal_s = max(row.longest_heal_s, await self._heal(ended_at))
            row.longest_lag_s = max(row.longest_lag_s, self.lag.longest_s(began))
            self.lag.broken(f"{row.struck} kills", began, ended_at)
            await self._verify(row, checked)
            self.say(f"{fault.name}: {row.struck} times, {row.operations:,} operations checked")

    async def check(self) -> int:
        """Of what has happened so far, without a fault. Returns how many operations were checked."""
        await self._heal(time.monotonic())
        await self._verify(Row("no fault"), 0)
        return self.traffic.ended

    async def _heal(self, since: float) -> float:
        """Seconds from ``since`` until every view is fresh and equals the ledger."""
        looked_from = time.monotonic()  # the last operations may have had their answers long after ``since``
        while True:
            truth = await self._truth()
            late = [(watcher, watcher.differs(truth)) for watcher in self.traffic.watchers]
            healed_s = time.monotonic() - since
            if truth and all(watcher.fresh and not differing for watcher, differing in late):
                return healed_s
            if time.monotonic() - looked_from > HEAL_S_MAX:
                state = [(w.location, w.subscription.view.state.value, d[:3]) for w, d in late if d or not w.fresh]
                raise NotHealed(f"after {healed_s:.1f} s {len(state)} views differ: {state[:5]}")
            await asyncio.sleep(LOOK_S)

    async def _truth(self) -> dict[Key, Level]:
        """Nothing while a ledger cannot say."""
        try:
            return {level.key: level async for level in self.traffic.clients[0].levels()}
        except Unavailable:
            return {}

    async def _verify(self, row: Row, checked: int) -> None:
        """Everything from the beginning, not only this round. Raises NotHealed."""
        levels = await self._settled()
        invocations = self.traffic.calls
        events = [event for shard in self._events.values() for event in shard]
        violations = await asyncio.to_thread(judge, invocations, events, levels)
        row.operations += len(invocations) - checked
        row.unknown += sum(call.unknown for call in invocations[checked:])
        row.refused += sum(isinstance(call.answer, Refused) for call in invocations[checked:])
        row.lost += sum(one.kind in ("lost", "torn") for one in violations)
        row.doubled += sum(one.kind in ("doubled", "ghost") for one in violations)
        broken = [str(one) for one in violations] + await self._audited() + self._went_back()
        if leaked := await self._leaked_holds():
            broken.append(f"{leaked} reservations are held although their time is over")
        connections = await self._left_connections()
        if connections > CONNECTIONS_MAX:
            broken.append(f"{connections} connections to the database, at most {CONNECTIONS_MAX} are accounted for")
        if (leaked := await self._leaked_tasks()) > 0:
            broken.append(f"{leaked} tasks more in all servers than the {self._tasks_at_first} at first")
        if not any(call.result is not None for call in invocations[checked:]):
            broken.append("nothing was committed in this round: nothing was proved")
        if broken:
            raise NotHealed(f"{row.fault}: {len(broken)} findings, such as " + "; ".join(broken[:5]))

    async def _settled(self) -> list[Level]:
        """Levels that are those of the log: what an impatient writer left behind may be committed between two reads."""
        async with asyncio.timeout(HEAL_S_MAX):
            while True:
                await self._read_log()
                levels = list((await self._truth()).values())
                if sum(level.version for level in levels) == sum(len(shard) for shard in self._events.values()):
                    return levels

    async def _read_log(self) -> None:
        """What came since the last time, over the feed that anybody may read."""
        key = await self.under_fire.system.admin_key()
        async with httpx.AsyncClient(
            base_url=self.under_fire.system.ledger_url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE_S,
            trust_env=False,
        ) as http:
            for shard in (await _read(http, "/v1/shards", {}))["shards"]:
                await self._read_shard(http, shard["shard"])

    async def _read_shard(self, http: httpx.AsyncClient, shard: int) -> None:
        known = self._events.setdefault(shard, [])
        while True:
            after = known[-1].seq if known else 0
            page = await _read(http, "/v1/events", {"shard": shard, "after": after, "limit": 1_000})
            known += [Event.parse(event) for event in page["events"]]
            if not page["events"]:
                return

    async def _audited(self) -> list[str]:
        engine = create_engine(self.under_fire.postgres.url(), pool_size=1)
        try:
            async with engine.connect() as connection:
                return [str(violation) for violation in await audit(connection)]
        finally:
            await engine.dispose()

    def _went_back(self) -> list[str]:
        return [f"a screen went back: {one}" for watcher in self.traffic.watchers for one in watcher.went_back[:2]]

    async def _leaked_holds(self) -> int:
        """Nobody asks for their units: the ledgers that are left have to let go of them."""
        ends_at = time.monotonic() + HEAL_S_MAX
        while (held := await self._overdue_holds()) and time.monotonic() < ends_at:  # noqa: ASYNC110 - asked of others
            await asyncio.sleep(LOOK_S)
        return held

    async def _overdue_holds(self) -> int:
        rows = await self.under_fire.postgres.query(OVERDUE)
        return int(rows[0][0])

    async def _left_connections(self) -> int:
        """Backends of a ledger that was killed end when they notice."""
        ends_at = time.monotonic() + HEAL_S_MAX
        while (count := await self._connections()) > CONNECTIONS_MAX and time.monotonic() < ends_at:  # noqa: ASYNC110 - asked of others
            await asyncio.sleep(LOOK_S)
        return count

    async def _connections(self) -> int:
        rows = await self.under_fire.postgres.query(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        return int(rows[0][0])

    async def _leaked_tasks(self) -> int:
        """Hubs follow the log shard by shard while a broker is away, and their last long polls end after the heal."""
        if self._tasks_at_first is None:
            return 0
        ends_at = time.monotonic() + HEAL_S_MAX
        while (more := await self._tasks() - self._tasks_at_first) > TASKS_SLACK and time.monotonic() < ends_at:  # noqa: ASYNC110 - asked of others
            await asyncio.sleep(LOOK_S)
        return more if more > TASKS_SLACK else 0

    async def _tasks(self) -> int:
        """Of all ledgers and hubs together."""
        system = self.under_fire.system
        async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False) as http:
            texts = [(await http.get(f"{node.admin}/metrics")).text for node in (*system.ledgers, *system.hubs)]
        return sum(int(TASKS.findall(text)[0]) for text in texts)


async def _read(http: httpx.AsyncClient, path: str, query: dict[str, int]) -> dict[str, Any]:
    """503 is an answer too: a connection that a kill has left dead is found out by the first who uses it."""

    async def answered() -> dict[str, Any] | None:
        answer = await http.get(path, params=query)
        return None if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else answer.raise_for_status().json()

    return await wait_until(answered, HEAL_S_MAX, what=path) or {}


def order(faults: Sequence[Fault], chance: random.Random) -> list[Fault]:
    """Each once, in an order of its own for each round."""
    return chance.sample(list(faults), len(faults))
