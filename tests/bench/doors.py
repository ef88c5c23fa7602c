"""The moment of a launch at a hub's door: all come at once, are turned away, or stay and say nothing.

Against bare handshakes of the same WebSocket library, whose connections say nothing at all.
"""

import asyncio
import secrets
import time
from collections.abc import Callable

import psutil

from tests.bench.audience import frame, upgrade
from tests.bench.hubs import address_of, own_hub
from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.server import BareServer, cpu_s
from tests.bench.shop import LOCATION, Shop
from tests.bench.storm import Storm
from tests.harness.processes import ServerProcess

AT_ONCE = 5_000
ONE_BY_ONE = 1_000
AWAY = 5_000
"""Turned away one by one: each costs so little that 1,000 are a dozen ticks of the clock that CPU is told in."""
SKUS = 20
IDLE_S = 3.0
BACKLOG = 4096
HANDSHAKE_DONE = b"\r\n\r\n"
CONNECTED = b'"type":"connected"'
SNAPSHOT_DONE = b'"last":true'


async def at_once(shop: Shop, rounds: int) -> list[Row]:
    """Those who come for the first time, and those who come again with what they watch."""
    first = Row(
        f"{AT_ONCE:,} connect at once",
        "s",
        "lower",
        "WebSocket handshake and key, until the last has its answer",
        "bare handshakes of the websockets library",
        target=1.8,
    )
    again = Row(
        f"{AT_ONCE:,} resume at once",
        "s",
        "lower",
        f"handshake, key and a subscription of {SKUS} skus, until the last has its snapshot",
        first.bare_is,
        target=2.0,
    )
    for _ in range(rounds):
        skus = await shop.once("doors", lambda: _skus(shop))
        async with own_hub(shop) as hub:
            first.ours.append(await _storm(address_of(hub), AT_ONCE, _opening(shop, address_of(hub)), CONNECTED))
        async with own_hub(shop) as hub:
            opening = _opening(shop, address_of(hub), skus)
            again.ours.append(await _storm(address_of(hub), AT_ONCE, opening, SNAPSHOT_DONE))
        with BareServer("tests.bench.bare_websockets", BACKLOG) as server:
            address = ("127.0.0.1", server.port)
            bare_s = await _storm(address, AT_ONCE, upgrade(address), HANDSHAKE_DONE)
        first.bare.append(bare_s)
        again.bare.append(bare_s)
    return [first, again]


async def turned_away(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "connection turned away at the door",
        "us",
        "lower",
        "hub CPU for a connection over the rate of handshakes",
        "hub CPU for one that is let in: handshake, key, end",
        target=0.15,
    )
    for _ in range(rounds):
        async with own_hub(shop) as hub:
            row.bare.append(await _cpu_us(hub, shop, Storm.one_by_one, ONE_BY_ONE))
        async with own_hub(shop, STOCKWIRE_HUB_HANDSHAKES_PER_S=1, STOCKWIRE_HUB_HANDSHAKES_BURST=1) as hub:
            with Storm(address_of(hub), 1, _opening(shop, address_of(hub)), CONNECTED) as the_one_let_in:
                await asyncio.to_thread(the_one_let_in.come)
            row.ours.append(await _cpu_us(hub, shop, Storm.turned_away, AWAY))
    return [row]


async def idle(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        f"idle connection, {SKUS} skus",
        "KB",
        "lower",
        f"resident memory of a hub for each of {ONE_BY_ONE:,} connections with a subscription of {SKUS} skus",
        "the same of bare connections of the websockets library",
        target=1.25,
    )
    for _ in range(rounds):
        skus = await shop.once("doors", lambda: _skus(shop))
        async with own_hub(shop) as hub:
            opening = _opening(shop, address_of(hub), skus)
            row.ours.append(await _kilobytes(address_of(hub), hub.pid, opening, SNAPSHOT_DONE))
        with BareServer("tests.bench.bare_websockets", BACKLOG) as server:
            address = ("127.0.0.1", server.port)
            row.bare.append(await _kilobytes(address, server.pid, upgrade(address), HANDSHAKE_DONE))
    return [row]


async def _skus(shop: Shop) -> list[str]:
    name = f"door-{secrets.token_hex(4)}"
    skus = [f"{name}-{number}" for number in range(SKUS)]
    async with shop.http() as http:
        await stock(http, skus, 10**6)
    return skus


def _opening(shop: Shop, address: tuple[str, int], skus: list[str] | None = None) -> bytes:
    said = upgrade(address) + frame({"type": "connect", "id": 1, "token": shop.key})
    if skus is not None:
        said += frame({"type": "subscribe", "id": 2, "location": LOCATION, "skus": skus})
    return said


async def _storm(address: tuple[str, int], size: int, opening: bytes, mark: bytes) -> float:
    with Storm(address, size, opening, mark) as storm:
        return await asyncio.to_thread(storm.come)


async def _cpu_us(hub: ServerProcess, shop: Shop, come: Callable[[Storm], None], size: int) -> float:
    """How much the hub takes for each of ``size`` that come so, and go; what it takes in as long without them is taken
    out.
    """
    address = address_of(hub)
    before, started = cpu_s(hub.pid), time.monotonic()
    with Storm(address, size, _opening(shop, address), CONNECTED) as storm:
        await asyncio.to_thread(come, storm)
    await asyncio.sleep(1)  # what is left to do when they have gone
    used, took_s = cpu_s(hub.pid) - before, time.monotonic() - started
    return (used - took_s * await _idle_share(hub.pid)) / size * 1e6


async def _idle_share(pid: int) -> float:
    before, started = cpu_s(pid), time.monotonic()
    await asyncio.sleep(IDLE_S)
    return (cpu_s(pid) - before) / (time.monotonic() - started)


async def _kilobytes(address: tuple[str, int], pid: int, opening: bytes, mark: bytes) -> float:
    process = psutil.Process(pid)
    with Storm(address, ONE_BY_ONE // 10, opening, mark) as warm_up:
        await asyncio.to_thread(warm_up.one_by_one)
        before = process.memory_info().rss
        with Storm(address, ONE_BY_ONE, opening, mark) as storm:
            await asyncio.to_thread(storm.one_by_one)
            return (process.memory_info().rss - before) / ONE_BY_ONE / 1024
