"""`stockwire exporter` in the test's own process, beside a ledger, and what it says."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from followers.exporter.process import SCOPES, Exporter
from followers.exporter.settings import read_settings
from followers.exporter.violations import INVARIANTS
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until

NOTHING_WRONG = dict.fromkeys(INVARIANTS, 0)


async def settings_of(system: System, **more: object) -> dict[str, object]:
    return {
        "STOCKWIRE_URL": system.ledger_url,
        "STOCKWIRE_EXPORTER_KEY": await system.key("exporter", *SCOPES),
        **more,
    }


@dataclass(frozen=True, slots=True)
class Running:
    exporter: Exporter
    admin: str

    @property
    def violations(self) -> dict[str, int]:
        return dict(self.exporter.following.violations.counts)

    async def metrics(self) -> dict[str, float]:
        """By name, with labels."""
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(f"{self.admin}/metrics", timeout=PATIENCE_S)).text
        return {name: float(value) for name, value in re.findall(r"^(stockwire_\S+) (\S+)$", text, re.MULTILINE)}

    async def troubles(self) -> list[str]:
        async with httpx.AsyncClient(trust_env=False) as http:
            said = (await http.get(f"{self.admin}/troubles", timeout=PATIENCE_S)).json()
        assert said["check"] == "audit"
        return [one["detail"] for one in said["troubles"]]

    async def knows_all(self) -> None:
        """Until all levels are known, and everything is audited."""

        async def there() -> bool:
            following = self.exporter.following
            return bool(following.history and following.counts.walks and following.history.is_caught_up())

        await wait_until(there)

    async def until(self, **expected: int) -> None:
        """Until these violations were found, and no others."""

        async def found() -> bool:
            return self.violations == {**NOTHING_WRONG, **expected}

        await wait_until(found, what=f"{expected}, not {self.violations}")

    async def audited(self, events: int) -> None:
        async def there() -> bool:
            return self.exporter.following.counts.events == events

        await wait_until(there, what=f"{events} events, not {self.exporter.following.counts.events}")


@asynccontextmanager
async def running(system: System, **more: object) -> AsyncIterator[Running]:
    given = await settings_of(system, **more)
    exporter = Exporter(read_settings({name: str(value) for name, value in given.items()}))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.TaskGroup() as tasks:
            started = asyncio.Event()
            task = tasks.create_task(exporter.run(listener, started.set))
            await started.wait()
            try:
                yield Running(exporter, f"http://127.0.0.1:{listener.getsockname()[1]}")
            finally:
                exporter.stop()
                async with asyncio.timeout(PATIENCE_S):
                    await task
