"""One hub for everything sent to the stream port here, and what it was seen to do."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.conformance.rows import GONE
from tests.harness.api_keys import make_token
from tests.harness.raw_socket import CLOSE, PONG, TEXT, RawSocket
from tests.harness.stream import open_stream
from tests.harness.system import System
from tests.harness.waiting import wait_until
from tests.hub.shop import Shop

TOKEN = make_token("stock:read:*")
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
PROBE_ID = 9_999
LISTENS_S, TOLD_WITHIN_S = 3_600.0, 10.0
PROBE = json.dumps({"type": "fly", "id": PROBE_ID}).encode()
"""A request that is answered if, and only if, all before it was taken and the connection still stands."""


@dataclass
class Seen:
    """``code``: None while the connection stands; ``told``: the code of the ``disconnect`` before a close."""

    code: int | None = None
    told: int | None = None
    replies: list[int] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)


async def watch(socket: RawSocket) -> Seen:
    """Read until PROBE is answered, or to the end of the connection."""
    seen = Seen()
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            frame = await socket.receive()
            if frame.opcode == PONG:
                seen.pongs.append(frame.payload)
            elif frame.opcode == CLOSE:
                seen.code = frame.close_code or 1005
            elif frame.opcode == TEXT:
                message = json.loads(frame.payload)
                if message.get("id") == PROBE_ID:
                    return seen
                if message["type"] == "error":
                    seen.replies.append(message["id"])
                elif message["type"] == "disconnect":
                    seen.told = message["code"]
    seen.code = seen.code or GONE
    return seen


@asynccontextmanager
async def neighbour(system: System, sku: str) -> AsyncIterator[None]:
    """A well-behaved client of the same hub. At the end it must still be told of a sale, and be the only one left."""
    shop = Shop(system)
    await shop.open("berlin", sku, on_hand=5)
    async with open_stream(system.stream_urls[0], TOKEN, ping_interval=None) as stream:
        await stream.subscribe("berlin", [sku])
        reading = asyncio.create_task(stream.expect("level", LISTENS_S, sku=sku))  # all the time: it answers pings
        try:
            yield
            sold = await shop.sell("berlin", sku)
            async with asyncio.timeout(TOLD_WITHIN_S):
                assert (await reading)["version"] == sold["version"]
        finally:
            reading.cancel()
        await _connections(system, 1)
    assert system.hubs[0].running
    system.hubs[0].check_log()


async def _connections(system: System, number: int) -> None:
    async with httpx.AsyncClient(
        trust_env=False,
        verify=False,
    ) as client:

        async def counted() -> bool:
            text = (await client.get(f"{system.hubs[0].admin}/metrics")).text
            return f"stockwire_hub_connections {number:.1f}" in text.splitlines()

        await wait_until(counted, what=f"stockwire_hub_connections {number}")
