"""Two relays that always run, sales that go on, and both the relays and their broker killed again and again."""

import asyncio
import logging
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from followers.log.ledger import Ledger
from followers.relay.process import SCOPES
from ledger import migrations
from stockwire.streams import CloudEvent
from tests.followers.relay.reading import Reader, check
from tests.followers.selling import selling
from tests.harness.brokers.broker import Broker
from tests.harness.processes import ServerProcess, relay_process
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api

STRIKES = ("broker and a relay", "a relay", "both relays", "a relay", "all three", "broker", "asleep")
"""In turn. ``asleep``: a relay stands still until the other one has gone on, and then wakes."""
WRITTEN_MAX = 40
"""Events that are written between two strikes, at most: some come in the middle of what the one before has done."""
WITHIN_S = 180.0
"""For a broker to come back, and for a relay to take over from one that is gone, on a busy machine."""
OVERTAKEN = "another relay has taken the shard"
_SEQ = re.compile(r'^stockwire_relay_seq\{shard="(\d+)",[^}]*\} (\S+)$', re.MULTILINE)

log = logging.getLogger(__name__)


class Place(Protocol):
    """Where the relays write: ``to``, and nothing else below ``prefix``."""

    @property
    def to(self) -> str: ...

    @property
    def prefix(self) -> str: ...

    async def read(self) -> list[CloudEvent]:
        """All that readers are shown, of all shards; those of each in its order."""

    async def aborted(self) -> int:
        """Messages that stand there and are shown to nobody."""

    async def settle(self) -> None:
        """Until what was made there before the first message would outlive a kill."""


@dataclass
class Campaign:
    """``broker``: None where it must not be killed."""

    system: System
    place: Place
    broker: Broker | None
    settings: Mapping[str, object] = field(default_factory=dict)
    relays: Sequence[ServerProcess] = ()
    killed: Counter[str] = field(default_factory=Counter)

    async def run(self, strikes: int, seed: int = 7) -> Reader:
        """``strikes``: halfway of which history is another one. Raises AssertionError, Gap."""
        async with self.relaying() as (ledger, api):
            async with selling(api, seed):
                await self.goes_on(1)
                await self.place.settle()
                await self._strike_all(strikes, random.Random(seed))
            reader = await self.read_to_the_end(ledger)
        await self._say(reader)
        return reader

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[tuple[Ledger, Api]]:
        """Both relays beside a new ledger, asked as a relay may and as an admin may."""
        await self.system.start_ledger()
        key = await self.system.key("relay", *SCOPES)
        async with (
            Ledger(self.system.ledger_url, key) as ledger,
            Api(self.system.ledger_url, await self.system.admin_key()) as api,
            self._relays(key),
        ):
            yield ledger, api

    async def read_to_the_end(self, ledger: Ledger) -> Reader:
        """What a reader has who begins now, and holds what the ledger has. Nothing is sold meanwhile."""
        await self._all_written(ledger)
        return await self._holds_everything(ledger)

    async def _strike_all(self, strikes: int, chance: random.Random) -> None:
        for number in range(strikes):
            if number == strikes // 2:
                await migrations.new_epoch(self.system.database_url)
            await self.goes_on(chance.randint(1, WRITTEN_MAX))
            await self._strike(STRIKES[number % len(STRIKES)], chance)
        await self.goes_on(1)

    async def _strike(self, what: str, chance: random.Random) -> None:
        one = chance.choice(self.relays)
        if what == "asleep":
            other = next(relay for relay in self.relays if relay is not one)
            one.pause()
            await self.goes_on(1, [other])
            one.resume()
            self.killed["asleep"] += 1
            return
        relays = self.relays if what in ("both relays", "all three") else [] if what == "broker" else [one]
        broker = self.broker if what in ("broker", "broker and a relay", "all three") else None
        for relay in relays:
            relay.kill()
            self.killed["relay"] += 1
        if broker is not None:
            broker.kill()
            self.killed["broker"] += 1
        for relay in relays:
            relay.launch()
        if broker is not None:
            await broker.restart()
        await asyncio.gather(*(relay.await_ready() for relay in relays))

    async def goes_on(self, events: int, relays: Sequence[ServerProcess] | None = None) -> None:
        """Until so many more events were written, as far as those relays know that run now."""
        begun: int | None = None

        async def enough() -> bool:
            nonlocal begun
            written = sum((await self._written(relays or self.relays)).values())
            # another epoch begins anew: the least of all counts from there
            begun = written if begun is None else min(begun, written)
            return written >= begun + events

        await wait_until(enough, WITHIN_S, what=f"{events} more events are written", swallow=httpx.HTTPError)

    async def _written(self, relays: Sequence[ServerProcess]) -> Counter[int]:
        """The last seq of each shard."""
        newest: Counter[int] = Counter()
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as http:
            for relay in relays:
                assert relay.running, f"{relay.name} has ended by itself:\n{relay.stderr(40)}"
                for shard, seq in _SEQ.findall((await http.get(f"{relay.admin}/metrics")).text):
                    newest[int(shard)] = max(newest[int(shard)], int(float(seq)))
        return newest

    async def _all_written(self, ledger: Ledger) -> None:
        heads = {one["shard"]: one["head"] for one in (await ledger.shards())["shards"]}

        async def there() -> bool:
            return await self._written(self.relays) == heads

        await wait_until(there, WITHIN_S, what=f"{heads} are written", swallow=httpx.HTTPError)

    async def _holds_everything(self, ledger: Ledger) -> Reader:
        """A relay may not have noticed yet that history is another one."""
        reader = Reader()

        async def equal() -> bool:
            nonlocal reader
            reader = Reader()
            reader.read(await self.place.read())
            await check(ledger, reader)
            return True

        await wait_until(equal, what="the reader holds what the ledger has", swallow=AssertionError)
        return reader

    async def _say(self, reader: Reader) -> None:
        overtaken = sum(relay.stderr().count(OVERTAKEN) for relay in self.relays)
        log.info(
            "to=%s killed=%s changes=%d repeats=%d aborted=%d overtaken=%d started_over=%d",
            *(self.place.to, dict(self.killed), len(reader.ids), reader.repeats),
            *(await self.place.aborted(), overtaken, reader.starts_over),
        )

    @asynccontextmanager
    async def _relays(self, key: str) -> AsyncIterator[None]:
        settings = {
            "STOCKWIRE_URL": self.system.ledger_url,
            "STOCKWIRE_RELAY_KEY": key,
            "STOCKWIRE_RELAY_TO": self.place.to,
            "STOCKWIRE_RELAY_PREFIX": self.place.prefix,
            **self.settings,
        }
        self.relays = [relay_process(f"relay-{name}", self.system.folder, settings) for name in "ab"]
        async with AsyncExitStack() as stack:
            for relay in self.relays:
                stack.callback(relay.kill)
                await relay.start()
            yield
            for relay in self.relays:
                await relay.stop()
                relay.check_log()
