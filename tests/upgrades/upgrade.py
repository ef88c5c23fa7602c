"""There and back, and there for good: an expand, every mix of two releases, a rollback and a contract."""

import logging
import random

import httpx

from tests.harness.processes import ServerProcess
from tests.harness.release_tree import Release, this_release
from tests.harness.size import SIZE
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.upgrades.archive import LOCATION, fill_archive
from tests.upgrades.field import Field, Grounds
from tests.upgrades.migrations import are_whole, killed_at_each_step, migrated, refused
from tests.upgrades.tills import LOCATIONS, SKUS

logger = logging.getLogger(__name__)

SEED = 15
ROUNDS = SIZE.of(5)
"""Each on a database of its own: a contract cannot be undone."""
MIXES = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (1, 1)]
"""How many ledgers and hubs are new: all nine mixes, all of them new among these, one server changed from each to the
next."""
KILLED = 0.5
"""The share of servers that are killed when they are replaced; the others are stopped."""
OPERATIONS = 2
"""Of each till between two steps, whose last stands on every screen."""
EXIT_UNAVAILABLE = 69

LEFT = {
    "backfill of levels": f"select count(*) from stock_level where location = '{LOCATION}' and writer is null",
    "backfill of events": f"select count(*) from stock_event where location = '{LOCATION}' and writer is null",
}
"""What the backfills of ``next_schema.py`` have still to do."""
WRITERS = """
select e.writer, count(*), count(*) filter (where e.committed_at > m.alone_since) from stock_event e, ledger_meta m
 group by e.writer
"""


async def upgrade_again_and_again(grounds: Grounds, old: Release, new: Release) -> None:
    """Every mix, back to ``old``, and where ``new`` has a contract there for good. Raises AssertionError."""
    for number in range(ROUNDS):
        seed = SEED + number
        async with grounds.field(old, {"old": old, "new": new}, seed=seed) as field:
            upgrade = Upgrade(field, old, new, random.Random(seed))
            field.tills.go()
            await upgrade.expand()
            await upgrade.walk()
            await upgrade.go_back()
            await upgrade.contract()
            logger.info("%s to %s: %s; %s", old.name, new.name, await field.verdict(), upgrade)


class Upgrade:
    """Of a shop that sells throughout. After each thing that happens, every screen shows what was sold after it."""

    def __init__(self, field: Field, old: Release, new: Release, chance: random.Random) -> None:
        self._field, self._old, self._new = field, old, new
        self._chance = chance
        self._expands = new.schema > old.schema
        self._contracts = False
        self._steps: list[str] = []
        self._left: dict[str, int] = {}

    def __str__(self) -> str:
        system = self._field.system
        return f"{len(self._steps)} migrations and {system.kills} servers killed, {system.restarts} started again"

    async def expand(self) -> None:
        """Killed at each step."""
        is_synthetic = self._old == this_release()
        if is_synthetic:
            await fill_archive(self._field)
        steps = await killed_at_each_step(
            self._new, self._field.url, self._chance, at_step=self._within_backfill, when_killed=self._half_expanded
        )
        self._steps += steps
        assert are_whole(steps)
        assert bool(steps) == self._expands
        if is_synthetic:
            assert self._left.keys() == LEFT.keys()
            assert any(self._left.values()), f"no kill came within a backfill: {self._left}"
            assert [await self._field.value(query) for query in LEFT.values()] == [0, 0]
        self._contracts = "cannot be undone" in await migrated(self._new, self._field.url, "--contract", "--plan")

    async def walk(self) -> None:
        """Through every mix of ledgers and hubs, by stopping or killing them."""
        system = self._field.system
        for mix in MIXES:
            for servers, number in zip((system.ledgers, system.hubs), mix, strict=True):
                for place, server in enumerate(servers):
                    await self._become(server, self._new if place < number else self._old)
            await self._field.tills.sold_and_shown(OPERATIONS)

    async def _become(self, server: ServerProcess, release: Release) -> None:
        if self._field.system.release_of(server) != release:
            await self._field.become(server, release, killed=self._chance.random() < KILLED)

    async def go_back(self) -> None:
        """All of them old again."""
        for server in (*self._field.system.ledgers, *self._field.system.hubs):
            await self._become(server, self._old)
        await self._field.tills.sold_and_shown(OPERATIONS)

    async def contract(self) -> None:
        """Refused while an old ledger lives; then killed at each step. From the first on an old ledger is kept out,
        also one that only lost its connections.
        """
        if not self._contracts:
            assert await migrated(self._new, self._field.url, "--contract") == "Nothing is left to contract.\n"
            return
        for ledger in self._field.system.ledgers:
            await self._refused_contract(ledger)
            await self._become(ledger, self._new)
            await self._field.tills.sold_and_shown(OPERATIONS)
        cut_off = await self._cut_off_ledger()
        steps = await killed_at_each_step(
            self._new, self._field.url, self._chance, "--contract", when_killed=self._half_contracted
        )
        self._steps += steps
        assert are_whole(steps)
        await self._is_refused(cut_off)
        await self._field.become(self._field.system.ledgers[0], self._new, killed=True)
        await self._field.tills.sold_and_shown(OPERATIONS)
        if self._old == this_release():
            await self._check_writers()

    async def _within_backfill(self, line: str) -> None:
        """Of `next_schema.py`: returns when it has begun and is not done, unless this test stood still meanwhile."""
        query = next((query for does, query in LEFT.items() if line.endswith(does)), None)
        if query is not None:
            whole = await self._field.value(query)

            async def begun() -> bool:
                left = self._left[line.rpartition(": ")[2]] = await self._field.value(query)
                return left < whole or not left

            await wait_until(begun, what="the backfill has begun")

    async def _half_expanded(self, line: str) -> None:
        """Sales go on, and so does an old ledger that is killed and comes back."""
        if " step 2 of " in line:
            await self._field.become(self._field.system.ledgers[1], self._old, killed=True)
        await self._field.tills.sold_and_shown(1)

    async def _half_contracted(self, line: str) -> None:
        if " step 1 of " in line:
            await self._cannot_start()
        await self._field.tills.sold_and_shown(1)

    async def _refused_contract(self, ledger: ServerProcess) -> None:
        """Also while the old ledger stands still, and with its name and its schema."""
        before = await self._field.value("select bears from ledger_meta")
        with self._field.tills.disturbed(ledger.name):
            ledger.pause()
            reason = await refused(self._new, self._field.url, "--contract")
            ledger.resume()
        assert f"stockwire ledger {self._old.version} (knows schema {self._old.schema}, " in reason
        assert await self._field.value("select bears from ledger_meta") == before

    async def _cut_off_ledger(self) -> ServerProcess:
        """An old ledger that stands still while its connections end: nobody can see that it is there."""
        ledger = await self._field.another_ledger(self._old).start()
        ledger.pause()
        name = f"stockwire ledger {self._old.version}"
        cut = "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity where application_name = $1"
        assert await self._field.value(cut, name) > 0
        return ledger

    async def _is_refused(self, ledger: ServerProcess) -> None:
        """It comes back to a database that does not bear it any more: it sells nothing, and says why or ends.

        Version 0.1.0 goes on to say so to everybody, later ones end.
        """
        ledger.resume()
        headers = {"Authorization": f"Bearer {self._field.key}", "Idempotency-Key": "too late"}
        line = {"sku": SKUS[0], "location": LOCATIONS[0], "quantity": 1, "kind": "receipt"}
        async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False) as http:

            async def says_why() -> str:
                if not ledger.running:
                    return await self._reason_of_end(ledger)
                # At first it finds that its connections are gone.
                for answer in (
                    await http.post(f"{ledger.url}/v1/movements", json=line, headers=headers),
                    await http.get(f"{ledger.admin}/readyz"),
                ):
                    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
                reason = str(answer.json()["detail"])
                return reason if "was contracted for" in reason else ""

            what = "a ledger that is kept out says why"
            self._names_both(await wait_until(says_why, what=what, swallow=httpx.TransportError))
        await ledger.stop()

    async def _cannot_start(self) -> None:
        ledger = self._field.another_ledger(self._old)
        ledger.launch()
        self._names_both(await self._reason_of_end(ledger))

    async def _reason_of_end(self, ledger: ServerProcess) -> str:
        """One line, and a status that says that the database is at fault."""
        assert await ledger.wait() == EXIT_UNAVAILABLE
        reasons = [line for line in ledger.stderr().splitlines() if line.startswith("stockwire: ")]
        assert len(reasons) == 1, ledger.stderr()
        return reasons[0]

    def _names_both(self, reason: str) -> None:
        """Both versions, and what to do."""
        assert f"stockwire {self._old.version} knows schemas up to {self._old.schema}, " in reason
        assert f"was contracted for {self._new.version} and later" in reason
        assert f": start {self._new.version} or later" in reason

    async def _check_writers(self) -> None:
        """Both wrote, whoever wrote is known, and after the contract only those that it bears did."""
        rows = {writer: (all_of, late) for writer, all_of, late in await self._field.query(WRITERS)}
        old, new = (f"stockwire ledger {one.version}" for one in (self._old, self._new))
        assert rows.keys() == {"before", old, new}
        assert rows["before"] > (0, 0)
        assert rows[old] > (0, 0)
        assert rows[old][1] == 0, rows
        assert rows[new][1] > 0, rows
