"""What people who look at the console cost ledger and hub: twenty of them against one."""

import asyncio
import json
import secrets
import statistics
import time
from contextlib import AsyncExitStack
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.bench.consoles import own_console, viewer_key
from tests.bench.ratio import Row
from tests.bench.server import cpu_s
from tests.bench.shop import LOCATION, Shop

MANY = 20
IN_TURNS = (MANY, 1, 1, MANY)
"""Whatever grows or warms up from one to the next falls on both sides alike."""
SALES, SALES_PER_S = 500, 50
"""Of each measurement: CPU is told in ticks of 10 ms, and what is asked every few seconds has to even out."""
LOOKS_S = 1.0
"""How long everybody looks at a page before all turn to the next one."""
PAGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("launch", {}),
    ("stock", {"limit": 100, "sort": "changed", "descending": True}),
    ("level", {"location": LOCATION}),
    ("log", {}),
    ("nodes", {}),
    ("holds", {}),
)


async def viewers(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        f"{MANY} people at the console: ledger and hub",
        "CPU ms per s",
        "lower",
        f"ledger and hub processes, {SALES_PER_S} sales/s, {MANY} viewers who turn through {len(PAGES)} pages together",
        "the same with one viewer",
        target=1.05,
    )
    for _ in range(rounds):
        async with own_console(shop) as url:
            found = [(count, *await _measured(shop, url, count)) for count in IN_TURNS]
        for figures, viewing in ((row.ours, MANY), (row.bare, 1)):
            figures.append(statistics.mean(cpu_ms_per_s for count, cpu_ms_per_s, _ in found if count == viewing))
        row.notes["sales/s"] = ", ".join(f"{sales_per_s:.0f} ({count})" for count, _, sales_per_s in found)
    return [row]


async def _measured(shop: Shop, url: str, count: int) -> tuple[float, float]:
    """CPU ms per s, and the sales per s that there were: with fewer it costs less."""
    sku = f"seen-{secrets.token_hex(4)}"
    await shop.stock_up(sku, 10 * SALES)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(shop.http())
        cookie = await _cookie(shop, url)
        sockets = [
            await stack.enter_async_context(
                connect(
                    f"{url.replace('http', 'ws', 1)}/live",
                    origin=url,  # type: ignore[arg-type]  # an origin is text
                    additional_headers={"Cookie": cookie},
                    proxy=None,
                )
            )
            for _ in range(count)
        ]
        async with asyncio.TaskGroup() as tasks:
            looking = [tasks.create_task(_look(socket, sku)) for socket in sockets]
            await asyncio.sleep(len(PAGES) * LOOKS_S)
            pids = [shop.ledger_pid, shop.system.hubs[0].pid]
            began, before = time.monotonic(), sum(map(cpu_s, pids))
            await _sell(shop, http, sku)
            used, elapsed = sum(map(cpu_s, pids)) - before, time.monotonic() - began
            for task in looking:
                task.cancel()
    return used / elapsed * 1_000, SALES / elapsed


async def _sell(shop: Shop, http: httpx.AsyncClient, sku: str) -> None:
    """At the pace that was meant, whoever is late."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number in range(SALES):
            await asyncio.sleep(max(0.0, began + number / SALES_PER_S - time.monotonic()))
            tasks.create_task(shop.sell(http, sku))


async def _look(socket: ClientConnection, sku: str) -> None:
    """Turns to the next page when the clock says so, as everybody does; reads whatever comes. Until cancelled."""
    number = 0
    while True:
        page, arguments = PAGES[int(time.monotonic() / LOOKS_S) % len(PAGES)]
        number += 1
        named = {**arguments, "sku": sku} if page == "level" else arguments
        await socket.send(json.dumps({"id": number, "show": page, "args": named}))
        until = (int(time.monotonic() / LOOKS_S) + 1) * LOOKS_S
        while (left := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    await socket.recv()
            except TimeoutError:
                break


async def _cookie(shop: Shop, url: str) -> str:
    key = await viewer_key(shop)
    async with httpx.AsyncClient(base_url=url, headers={"Origin": url}, trust_env=False) as http:
        (await http.post("/api/session", json={"key": key})).raise_for_status()
        return "; ".join(f"{name}={value}" for name, value in http.cookies.items())
