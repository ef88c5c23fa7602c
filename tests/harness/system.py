"""A whole Stockwire: one database, one channel prefix, any number of ledgers and hubs."""

import asyncio
import contextlib
import secrets
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from tests.harness.api_keys import TOKEN_SECRET, make_key, make_token_key
from tests.harness.metrics import await_metric
from tests.harness.postgres import PostgresServer
from tests.harness.processes import ServerProcess, hub_process, ledger_process
from tests.harness.residents import Resident, resident_hub, resident_ledger
from tests.harness.servers import Server, free_port
from tests.harness.valkey import ValkeyServer

S_co = TypeVar("S_co", bound=Server, covariant=True)


@dataclass(eq=False)
class _System(Generic[S_co]):
    """``start_ledger`` and ``start_hub`` add servers; ``stop`` ends them all and checks their logs.

    Keys: ``admin_key`` may do everything but be a hub, ``hub_key`` has the scope ``hub``.
    """

    folder: Path
    database_url: str
    redis_url: str
    channel_prefix: str
    token_secret: str = TOKEN_SECRET
    ledgers: Sequence[S_co] = ()
    hubs: Sequence[S_co] = ()
    _planned: list[tuple[int, int]] = field(default_factory=list)
    _keys: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)

    @property
    def ledger_url(self) -> str:
        return self.ledgers[0].url

    @property
    def ledger_urls(self) -> list[str]:
        return [ledger.url for ledger in self.ledgers]

    @property
    def stream_urls(self) -> list[str]:
        return [hub.stream for hub in self.hubs]

    async def key(self, owner: str, *scopes: str) -> str:
        """The API key of ``owner`` with ``scopes``, made in the database the first time it is asked for."""
        if (owner, scopes) not in self._keys:
            self._keys[owner, scopes] = await make_key(self.database_url, owner, *scopes)
        return self._keys[owner, scopes]

    async def admin_key(self) -> str:
        return await self.key("admin", "admin", "feed", "stock:read:*", "stock:write:*")

    async def hub_key(self) -> str:
        return await self.key("hubs", "hub")

    def plan_hubs(self, number: int) -> None:
        """Before ``start_ledger``: choose the ports of the next hubs, so that ledgers name them to clients."""
        self._planned += [(free_port(), free_port()) for _ in range(number)]

    @abstractmethod
    def _new_ledger(self, name: str, settings: Mapping[str, object]) -> S_co: ...

    @abstractmethod
    def _new_hub(self, name: str, settings: Mapping[str, object], arguments: tuple[str, ...]) -> S_co: ...

    async def start_ledger(self, **settings: object) -> S_co:
        """``settings``: STOCKWIRE_* variables by their full names; None leaves a default of these tests out."""
        shared = {
            "STOCKWIRE_DATABASE_URL": self.database_url,
            "STOCKWIRE_HUB_STREAM_URLS": ",".join(f"ws://127.0.0.1:{stream}/v1/stream" for stream, _ in self._planned),
            "STOCKWIRE_HUB_READ_URLS": ",".join(f"http://127.0.0.1:{read}" for _, read in self._planned),
            **self._shared(),
            **settings,
        }
        ledger = self._new_ledger(f"ledger-{len(self.ledgers)}", shared)
        self.ledgers = [*self.ledgers, ledger]
        return await ledger.start()

    async def start_hub(self, *arguments: str, ledger_urls: list[str] | None = None, **settings: object) -> S_co:
        """``ledger_urls``: all ledgers, unless given. ``arguments``: of a process, as ``"--workers", "2"``."""
        await make_token_key(self.database_url)
        hub_key, number = await self.hub_key(), len(self.hubs)
        planned = {}
        if number < len(self._planned):
            stream, read = self._planned[number]
            planned = {"STOCKWIRE_HUB_STREAM_PORT": stream, "STOCKWIRE_HUB_READ_PORT": read}
        shared = {
            **planned,
            "STOCKWIRE_LEDGER_URLS": ",".join(ledger_urls or self.ledger_urls),
            "STOCKWIRE_HUB_KEY": hub_key,
            **self._shared(),
            **settings,
        }
        hub = self._new_hub(f"hub-{number}", shared, arguments)
        self.hubs = [*self.hubs, hub]
        return await hub.start()

    async def start(self, ledgers: int = 1, hubs: int = 2) -> Self:
        """All ready, the hubs fresh; the ledgers name the hubs to clients."""
        self.plan_hubs(hubs)
        await asyncio.gather(*(self.start_ledger() for _ in range(ledgers)))
        await asyncio.gather(*(self.start_hub() for _ in range(hubs)))
        await self.await_fresh()
        return self

    async def await_fresh(self) -> None:
        """Until every hub has heard of every shard: it takes connections before, and then says that it is behind."""
        for hub in self.hubs:
            await await_metric(hub, "stockwire_hub_fresh", 1)

    async def stop(self) -> None:
        """Hubs first, as a drain would. Raises AssertionError if one does not stop, or printed a traceback."""
        stopped = await asyncio.gather(*(hub.stop() for hub in self.hubs), return_exceptions=True)
        stopped += await asyncio.gather(*(ledger.stop() for ledger in self.ledgers), return_exceptions=True)
        for outcome in stopped:
            if isinstance(outcome, BaseException):
                raise outcome
        for server in (*self.ledgers, *self.hubs):
            server.check_log()

    def _shared(self) -> dict[str, object]:
        return {
            "STOCKWIRE_REDIS_URL": self.redis_url,
            "STOCKWIRE_CHANNEL_PREFIX": self.channel_prefix,
            "STOCKWIRE_TOKEN_SECRET": self.token_secret,
        }


System = _System[Server]
"""Whatever its servers live in."""


class ResidentSystem(_System[Resident]):
    """Its servers live in the test's own process: quick, and enough wherever a process is not the point."""

    def _new_ledger(self, name: str, settings: Mapping[str, object]) -> Resident:
        return resident_ledger(name, self.folder, settings)

    def _new_hub(self, name: str, settings: Mapping[str, object], arguments: tuple[str, ...]) -> Resident:
        assert not arguments, f"a hub inside the test takes no arguments: {arguments}"
        return resident_hub(name, self.folder, settings)


class ProcessSystem(_System[ServerProcess]):
    """Its servers are processes: for what is killed, paused, signalled, measured or has workers."""

    def _new_ledger(self, name: str, settings: Mapping[str, object]) -> ServerProcess:
        return ledger_process(name, self.folder, settings)

    def _new_hub(self, name: str, settings: Mapping[str, object], arguments: tuple[str, ...]) -> ServerProcess:
        return hub_process(name, self.folder, settings, arguments)


Kind = TypeVar("Kind", ResidentSystem, ProcessSystem)


async def started(system: System) -> None:
    """One ledger and two hubs."""
    await system.start()


@dataclass(frozen=True, slots=True)
class Grounds:
    """What systems that outlive a test are built on: the run's servers, a migrated database to clone."""

    postgres: PostgresServer
    valkey: ValkeyServer
    template_database: str
    folder: Path

    @contextlib.contextmanager
    def system(self, kind: type[Kind], start: Callable[[Kind], Coroutine[Any, Any, None]] = started) -> Iterator[Kind]:
        """A system over a database of its own, begun by ``start``, ended at the end of the block."""
        database = self.postgres.create_database(self.template_database)
        name = f"lasting-{secrets.token_hex(4)}"
        folder = self.folder / name
        folder.mkdir()
        system = kind(folder, self.postgres.url(database), self.valkey.url, name)
        try:
            asyncio.run(start(system))
            yield system
        finally:
            asyncio.run(system.stop())
            self.postgres.drop_database(database)
