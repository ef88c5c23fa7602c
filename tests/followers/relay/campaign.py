"""Two relays that always run, sales that go on, and both the relays and their broker killed again and again."""

import asyncio
import logging
import os
import random
import re
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from followers.log.ledger import Ledger
from followers.relay.process import SCOPES
from ledger import migrations
from stockwire.streams import CloudEvent
from tests.followers.relay.examples import Examples
from tests.followers.relay.reading import Reader, check
from tests.followers.selling import selling
from tests.harness.brokers.broker import Broker
from tests.harness.processes import ServerProcess, relay_process
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api

STRIKES = (
    *("broker and a relay", "a relay", "asleep", "all three", "a relay"),
    *("both relays", "broker and a relay", "a relay", "asleep"),
)
"""In turn. ``asleep``: a relay stands still until the other one writes every shard, and then wakes."""
LOCATIONS = ("paris", "hamburg", "bonn", "berlin")
"""One of each shard: both relays have some to write."""
APART_S = 0.5
"""Between two sales at one of them: what sales cost, a broker that comes back on a busy machine lacks."""
WRITTEN_MAX = 20
"""Events that are written between two strikes, at most: some come in the middle of what the one before has done."""
LOOK_S = 0.1
"""Between two looks at what is written: they take processor time that brokers and relays need to come back."""
WITHIN_S = 180.0
"""For a broker to come back, and for a relay to take over from one that is gone, on a busy machine."""
READ_S = 900.0
"""For all that a whole campaign has written, message by message."""
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
    """``broker``: None where it must not be killed. ``following``: both programs of the how-to."""

    system: System
    place: Place
    broker: Broker | None
    following: Examples | None
    settings: Mapping[str, object] = field(default_factory=dict)
    relays: Sequence[ServerProcess] = ()
    struck: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    _http: httpx.AsyncClient = field(init=False)

    async def run(self, strikes: int, seed: int = 7) -> Reader:
        """``strikes``: halfway of which history is another one. Raises AssertionError, Gap; what the broker held then
        is kept."""
        try:
            async with self.relaying() as (ledger, api):
                async with self._selling(api, seed):
                    await self.goes_on(1)
                    await self.place.settle()
                    await self._strike_all(strikes, random.Random(seed))
                reader = await self.read_to_the_end(ledger)
                if self.following is not None:
                    if not self.following.consumers:
                        await self.following.feed(await self.place.read())
                    await self.following.await_equal(ledger)
            await self._say(reader)
        except Exception:
            log.exception("what was there is kept in folder=%s", self._keep())
            raise
        return reader

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[tuple[Ledger, Api]]:
        """Both relays beside a new ledger, asked as a relay may and as an admin may."""
        await self.system.start_ledger()
        key = await self.system.key("relay", *SCOPES)
        async with (
            Ledger(self.system.ledger_url, key) as ledger,
            Api(self.system.ledger_url, await self.system.admin_key()) as api,
            httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as self._http,
            self._relays(key),
        ):
            yield ledger, api

    async def read_to_the_end(self, ledger: Ledger) -> Reader:
        """What a reader has who begins now, and holds what the ledger has. Nothing is sold meanwhile."""
        await self._all_written(ledger)
        return await self._holds_everything(ledger)

    @asynccontextmanager
    async def _selling(self, api: Api, seed: int) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for location in LOCATIONS:
                await stack.enter_async_context(selling(api, seed, location=location, apart_s=APART_S))
            yield

    async def _strike_all(self, strikes: int, chance: random.Random) -> None:
        for number in range(strikes):
            if number == strikes // 2:
                await migrations.new_epoch(self.system.database_url)
            await self.goes_on(chance.randint(1, WRITTEN_MAX))
            what, begun_s = STRIKES[number % len(STRIKES)], time.monotonic()
            await self._strike(what, chance)
            self.struck[what] += 1
            log.info("strike=%d of %d: %s, over after %.1f s", number + 1, strikes, what, time.monotonic() - begun_s)
        await self.goes_on(1)

    async def _strike(self, what: str, chance: random.Random) -> None:
        one = chance.choice(self.relays)
        if what == "asleep":
            other = next(relay for relay in self.relays if relay is not one)
            one.pause()
            await self._writes_every_shard(other)
            one.resume()
            return
        relays = self.relays if what in ("both relays", "all three") else [one]
        broker = self.broker if what in ("broker and a relay", "all three") else None
        self._kill_at_once(relays, broker)
        for relay in relays:
            relay.launch()
        if broker is not None:
            await broker.restart()
        await asyncio.gather(*(relay.await_ready() for relay in relays))
        if self.following is not None:
            if what == "all three":
                self.following.kill()
            self.following.revive()

    def _kill_at_once(self, relays: Sequence[ServerProcess], broker: Broker | None) -> None:
        """All get their SIGKILL before the end of any is waited for."""
        self.killed["relay"] += len(relays)
        victims: list[ServerProcess | Broker] = [*relays]
        if broker is not None:
            victims.append(broker)
            self.killed["broker"] += 1
        for victim in victims:
            os.kill(victim.pid, signal.SIGKILL)
        for victim in victims:
            victim.kill()

    async def goes_on(self, events: int) -> None:
        """Until so many more events were written, as far as those relays know that run now."""
        begun: int | None = None

        async def enough() -> bool:
            nonlocal begun
            written = sum((await self._written(self.relays)).values())
            # another epoch begins anew: the least of all counts from there
            begun = written if begun is None else min(begun, written)
            return written >= begun + events

        await wait_until(enough, WITHIN_S, what=f"{events} more events are written", swallow=httpx.HTTPError)

    async def _writes_every_shard(self, relay: ServerProcess) -> None:
        """Until it has seen each of them grow."""
        begun: dict[int, int] = {}

        async def grown() -> bool:
            written = await self._written([relay])
            for shard, seq in written.items():
                begun[shard] = min(begun.get(shard, seq), seq)
            return all(seq > begun[shard] for shard, seq in written.items())

        await wait_until(grown, WITHIN_S, what=f"{relay.name} writes every shard", swallow=httpx.HTTPError)

    async def _written(self, relays: Sequence[ServerProcess]) -> Counter[int]:
        """The last seq of each shard."""
        await asyncio.sleep(LOOK_S)
        newest: Counter[int] = Counter()
        for relay in relays:
            assert relay.running, f"{relay.name} has ended by itself:\n{relay.stderr(40)}"
            for shard, seq in _SEQ.findall((await self._http.get(f"{relay.admin}/metrics")).text):
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
            await asyncio.to_thread(reader.read, await self.place.read())
            await check(ledger, reader)
            return True

        await wait_until(equal, READ_S, what="the reader holds what the ledger has", swallow=AssertionError)
        return reader

    def _keep(self) -> Path:
        """A copy of the broker's folder and of what the relays said, for whoever looks into it; the broker is gone."""
        kept = Path(tempfile.mkdtemp(prefix="stockwire-campaign-"))
        for relay in self.relays:
            (kept / f"{relay.name}.log").write_text(relay.stderr())
        if self.broker is not None:
            self.broker.kill()
            shutil.copytree(self.broker.folder, kept / self.broker.name)
        return kept

    async def _say(self, reader: Reader) -> None:
        overtaken = sum(relay.stderr().count(OVERTAKEN) for relay in self.relays)
        log.info(
            "to=%s struck=%s killed=%s changes=%d repeats=%d aborted=%d overtaken=%d started_over=%d equal examples=%s",
            *(self.place.to, dict(self.struck), dict(self.killed), len(reader.ids), reader.repeats),
            *(await self.place.aborted(), overtaken, reader.starts_over, self.following and "equal"),
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
