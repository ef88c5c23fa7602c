"""Attacks by those who show no key, where a hub lets in visitors: how many come, from where, and what they make up.

Clients with a key come and go meanwhile. They must be served, and none may be refused at the door: visitors leave them
handshakes. On a machine that is too busy a key may not be checked in time; then they are told so.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.attacks.attack import Met, Target, attack
from tests.harness.raw_socket import CLOSE, TEXT, RawSocket, raw_frame, raw_socket
from tests.harness.stream import open_stream

VISITORS = 5_000
VISITORS_PER_S = 1_000
SUBSCRIPTIONS, NAMES = 8, 125
"""Of each visitor, with so many skus in each."""
TICK_S = 0.01
AGAIN_S = 0.05
SERVED, VISITING = "a key served", "visiting"
MAY = "error limit, close 4101, 503, cut off, key told to come again 1012"
"""4101: of visitors that cannot read as fast as they asked, on a machine that is too busy."""


@attack(
    "5,000 visitors from as many addresses, who name skus that do not exist", f"{VISITING}, close 4100, {SERVED}", MAY
)
async def many_visitors(target: Target, met: Met) -> None:
    addresses = (f"127.64.{number // 250}.{number % 250 + 1}" for number in itertools.count())
    await Flood(target, met).strike(_watch, addresses)


@attack("5,000 visitors from one address", f"{VISITING}, close 4100, {SERVED}", MAY)
async def one_address(target: Target, met: Met) -> None:
    await Flood(target, met).strike(_watch, itertools.repeat("127.1.2.3"))


@attack("5,000 event streams of visitors, from one address and from many", f"{VISITING}, 429, 503, {SERVED}", "cut off")
async def visitors_events(target: Target, met: Met) -> None:
    addresses = (
        f"127.96.{number // 250}.{number % 250 + 1}" if number % 4 else "127.1.2.3" for number in itertools.count()
    )
    await Flood(target, met).strike(_read, addresses)


Visit = Callable[["Flood", RawSocket], Awaitable[str]]
"""What became of a visitor: ``VISITING``, or how it was turned away."""


class Flood:
    """Visitors of one hub, who stay until the last has come."""

    def __init__(self, target: Target, met: Met) -> None:
        self.target = target
        self.met = met
        self.url = target.streams[0]
        self._over, self._served = asyncio.Event(), asyncio.Event()

    async def strike(self, visit: Visit, addresses: Iterator[str]) -> None:
        most = max(1, int(VISITORS * self.target.full))
        begun, fates = time.monotonic(), list[asyncio.Future[str]]()
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keys())
            while len(fates) < most:
                for _ in range(min(most, int((time.monotonic() - begun) * VISITORS_PER_S)) - len(fates)):
                    fates.append(loop.create_future())
                    tasks.create_task(self._come(visit, next(addresses), fates[-1]))
                await asyncio.sleep(TICK_S)
            self.met.update(await asyncio.gather(*fates))
            await self._served.wait()
            self._over.set()

    async def _come(self, visit: Visit, address: str, fate: asyncio.Future[str]) -> None:
        try:
            async with raw_socket(self.url if visit is _watch else self.target.reads[0], address) as socket:
                fate.set_result(await visit(self, socket))
                if fate.result() == VISITING:
                    await self._over.wait()
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            if not fate.done():
                fate.set_result("cut off")

    async def _keys(self) -> None:
        """Others, who have a key, come and go."""
        while not self._over.is_set():
            try:
                async with open_stream(self.url, self.target.key) as stream:
                    await stream.subscribe(self.target.location, ["S0"])
                    self.met[SERVED] += 1
                    self._served.set()
            except InvalidStatus as refused:
                self.met[f"key told to come again {refused.response.status_code}"] += 1
            except ConnectionClosed as ended:
                self.met[f"key told to come again {ended.rcvd and ended.rcvd.code}"] += 1
            except TimeoutError:  # on a machine that is too busy: the flood waits for one that is served
                pass
            await asyncio.sleep(AGAIN_S)


async def _watch(flood: Flood, socket: RawSocket) -> str:
    """On the stream, as much as a visitor may."""
    status = await socket.upgrade(flood.url, {"Origin": flood.target.origin})
    if status != 101:
        return str(status)
    await _say(socket, type="connect", id=0)
    for number in range(1, SUBSCRIPTIONS + 1):
        names = [f"{id(socket)}-{number}-{name}" for name in range(NAMES)]
        await _say(socket, type="subscribe", id=number, location=flood.target.foreign, skus=names, view="public")
    for _ in range(1 + SUBSCRIPTIONS):
        while (frame := await socket.receive()).opcode != CLOSE:
            told = json.loads(frame.payload) if frame.opcode == TEXT else {"type": "ping"}
            if told["type"] == "error":
                flood.met[f"error {told['code']}"] += 1
            if told["type"] in ("error", "connected", "subscribed"):
                break
        else:
            return f"close {frame.close_code}"
    return VISITING


async def _read(flood: Flood, socket: RawSocket) -> str:
    """As an event stream."""
    host = urlsplit(flood.target.reads[0]).netloc
    path = f"/v1/levels/stream?location={flood.target.foreign}&view=public"
    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {flood.target.origin}\r\n\r\n"
    status, _ = await socket.handshake(head.encode())
    return VISITING if status == 200 else str(status)


async def _say(socket: RawSocket, **message: object) -> None:
    await socket.send(raw_frame(TEXT, json.dumps(message).encode(), mask=b"mask"))


OF_VISITORS = (many_visitors, one_address, visitors_events)
