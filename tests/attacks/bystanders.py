"""Those who did nothing: clients that watch, and a till that sells all the time."""

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from tests.harness.stream import Stream, open_stream
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.hub.shop import Shop

LOCATION = "counter"
SKUS = tuple(f"S{number}" for number in range(20))
CLIENTS = 20
PAUSE_S = 0.02
HEAL_S = 10.0


@dataclass
class Bystanders:
    """``arrivals``: when (monotonic seconds) a change was on a screen, and how long after its commit (seconds).

    ``committed`` and ``screens``: the newest version of each sku, by the ledger and on each screen.
    """

    arrivals: list[tuple[float, float]] = field(default_factory=list)
    committed: dict[str, int] = field(default_factory=dict)
    screens: list[dict[str, int]] = field(default_factory=list)
    refused: int = 0

    async def all_watch(self) -> bool:
        return len(self.screens) == CLIENTS and len(self.arrivals) >= CLIENTS

    def latency_s(self, share: float, since: float, until: float) -> float:
        """The quantile of what arrived in this time, or if nothing did the next: see ``changed_since``."""
        found = sorted(latency for at, latency in self.arrivals if since <= at < until)
        if not found:
            return next(latency for at, latency in self.arrivals if at >= since)
        return found[min(len(found) - 1, int(share * len(found)))]

    async def changed_since(self, since: float) -> None:
        """Until a change was on any screen. Raises AssertionError."""

        async def changed() -> bool:
            return self.arrivals[-1][0] >= since

        await wait_until(changed, HEAL_S, what="a change is on a screen")

    async def everything_arrived(self) -> None:
        """Every screen shows what was committed until now. Raises AssertionError."""
        committed = dict(self.committed)

        async def arrived() -> bool:
            return all(screen.get(sku, 0) >= version for screen in self.screens for sku, version in committed.items())

        await wait_until(arrived, HEAL_S, what="every screen shows every level's newest version")


@asynccontextmanager
async def open_bystanders(system: System) -> AsyncIterator[Bystanders]:
    """Their connections hold until the end, or this raises: nobody's client may be ended by another's attack."""
    await Shop(system).open(LOCATION, *SKUS, on_hand=1_000_000)
    key = await system.key("counter", f"stock:read:{LOCATION}", f"stock:write:{LOCATION}")
    found = Bystanders()
    urls = itertools.cycle(system.stream_urls)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_watch(next(urls), key, found)) for _ in range(CLIENTS)]
        running.append(tasks.create_task(_sell(system.ledger_url, key, found)))
        try:
            await wait_until(found.all_watch, what="all watch")
            yield found
        finally:
            for task in running:
                task.cancel()


async def _watch(url: str, key: str, found: Bystanders) -> None:
    async with open_stream(url, key) as stream:
        _, snapshot = await stream.subscribe(LOCATION)
        screen = {level["sku"]: level["version"] for level in snapshot["levels"]}
        found.screens.append(screen)
        await _follow(stream, screen, found)


async def _follow(stream: Stream, screen: dict[str, int], found: Bystanders) -> None:
    while True:
        message = json.loads(await stream.connection.recv())
        if message["type"] == "level" and message["version"] > screen.get(message["sku"], 0):
            screen[message["sku"]] = message["version"]
            latency_s = time.time() - datetime.fromisoformat(message["committed_at"]).timestamp()
            found.arrivals.append((time.monotonic(), latency_s))


async def _sell(ledger_url: str, key: str, found: Bystanders) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=ledger_url, headers=headers, trust_env=False, timeout=PATIENCE_S) as http:
        for sku in itertools.cycle(SKUS):
            body = {"sku": sku, "location": LOCATION, "quantity": -1, "kind": "sale"}
            answer = await http.post("/v1/movements", json=body, headers={"Idempotency-Key": secrets.token_hex(12)})
            if answer.status_code == 201 or answer.status_code == 200:
                found.committed[sku] = answer.json()["levels"][0]["version"]
            else:
                found.refused += 1
            await asyncio.sleep(PAUSE_S)
