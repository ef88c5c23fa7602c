"""`stockwire relay` in the test's own process, beside a ledger and a broker, and what it says."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from followers.relay.process import SCOPES, Relay
from followers.relay.progress import Progress, State
from followers.relay.settings import read_settings
from followers.relay.sinks import sink_of
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until


async def settings_of(system: System, to: str, prefix: str, **more: object) -> dict[str, object]:
    return {
        "STOCKWIRE_URL": system.ledger_url,
        "STOCKWIRE_RELAY_KEY": await system.key("relay", *SCOPES),
        "STOCKWIRE_RELAY_TO": to,
        "STOCKWIRE_RELAY_PREFIX": prefix,
        **more,
    }


@dataclass(frozen=True, slots=True)
class Running:
    relay: Relay
    admin: str

    @property
    def progress(self) -> dict[int, Progress]:
        return {shard: one.progress for shard, one in self.relay.relaying.shards.items()}

    def writes(self) -> set[int]:
        """The shards that it writes."""
        return {shard for shard, one in self.progress.items() if one.state is State.WRITING}

    async def metrics(self) -> dict[str, float]:
        """By name, with labels."""
        text = (await self.get("/metrics")).text
        return {name: float(value) for name, value in re.findall(r"^(stockwire_\S+) (\S+)$", text, re.MULTILINE)}

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.get(self.admin + path, timeout=PATIENCE_S)

    async def why_not_ready(self) -> str | None:
        detail: str | None = (await self.get("/readyz")).json().get("detail")
        return detail

    async def is_ready(self) -> None:
        async def ready() -> bool:
            return await self.why_not_ready() is None

        await wait_until(ready)

    async def has_written(self, events: int) -> None:
        """Until so many events stand in the sink, of all shards together, as far as it knows."""

        async def there() -> bool:
            return sum(one.seq for one in self.progress.values()) == events

        await wait_until(there, what=f"{events} events, not {[one.seq for one in self.progress.values()]}")


@asynccontextmanager
async def running(system: System, to: str, prefix: str, **more: object) -> AsyncIterator[Running]:
    given = await settings_of(system, to, prefix, **more)
    settings = read_settings({name: str(value) for name, value in given.items()})
    relay = Relay(settings, sink_of(settings))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.TaskGroup() as tasks:
            started = asyncio.Event()
            task = tasks.create_task(relay.run(listener, started.set))
            await started.wait()
            try:
                yield Running(relay, f"http://127.0.0.1:{listener.getsockname()[1]}")
            finally:
                relay.stop()
                async with asyncio.timeout(PATIENCE_S):
                    await task
