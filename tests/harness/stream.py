"""A WebSocket client of protocol v1 without any cleverness: what is sent is what the test says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.harness.waiting import PATIENCE_S

SUBPROTOCOL = "stockwire.v1"
Message = dict[str, Any]


class Stream:
    """One connection. ``seen`` keeps every message received, in order."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.seen: list[Message] = []
        self._next_id = 0

    async def send(self, message: Message) -> None:
        await self.connection.send(json.dumps(message))

    async def send_raw(self, data: str | bytes) -> None:
        """Text or binary, valid or not."""
        await self.connection.send(data)

    async def receive(self, deadline_s: float = PATIENCE_S) -> Message:
        """The next message. Raises ConnectionClosed, or TimeoutError at the deadline."""
        async with asyncio.timeout(deadline_s):
            data = await self.connection.recv()
        assert isinstance(data, str), f"protocol v1 is text, this is binary: {data!r}"
        message: Message = json.loads(data)
        self.seen.append(message)
        return message

    async def expect(self, type_: str, deadline_s: float = PATIENCE_S, **fields: Any) -> Message:
        """Read until a message of this type with these fields; what comes before it stands in ``seen``."""
        async with asyncio.timeout(deadline_s):
            while True:
                message = await self.receive(deadline_s)
                if message["type"] == type_ and all(message.get(name) == value for name, value in fields.items()):
                    return message

    async def request(self, type_: str, **fields: Any) -> int:
        """Send a request with a fresh id and return the id."""
        self._next_id += 1
        await self.send({"type": type_, "id": self._next_id, **fields})
        return self._next_id

    async def authenticate(self, token: str) -> Message:
        request = await self.request("connect", token=token)
        return await self.expect("connected", id=request)

    async def subscribe(self, location: str, skus: list[str] | None = None, **fields: Any) -> tuple[int, Message]:
        """Returns the subscription's id and its whole snapshot: ``{"recovered", "levels", "position"}``."""
        wanted = {"location": location} | ({} if skus is None else {"skus": skus}) | fields
        request = await self.request("subscribe", **wanted)
        subscribed = await self.expect("subscribed", id=request)
        return request, {"recovered": subscribed["recovered"], **await self.snapshot(request)}

    async def snapshot(self, sub: int) -> Message:
        """Read to the last part of a snapshot: ``{"levels", "position"}``, whatever it lists. Others go to ``seen``."""
        levels: list[Message] = []
        while True:
            part = await self.expect("snapshot", sub=sub)
            levels += part.get("levels") or part.get("views") or part.get("thresholds") or []
            if part.get("last"):
                return {"levels": levels, "position": part.get("position")}

    async def closed(self, deadline_s: float = PATIENCE_S) -> int | None:
        """Read until the connection has ended. Returns the close code that came; None if it was lost without one."""
        try:
            async with asyncio.timeout(deadline_s):
                while True:
                    await self.receive(deadline_s)
        except ConnectionClosed as ended:
            return ended.rcvd.code if ended.rcvd else None


@asynccontextmanager
async def open_stream(url: str, token: str | None = None, **options: Any) -> AsyncIterator[Stream]:
    """Connect to a hub's stream URL; with ``token``, authenticate too. ``options`` go to websockets' ``connect``."""
    defaults: dict[str, Any] = {
        "subprotocols": [SUBPROTOCOL],
        "compression": None,
        "proxy": None,
        "open_timeout": PATIENCE_S,
    }
    async with connect(url, **{**defaults, **options}) as connection:
        stream = Stream(connection)
        if token is not None:
            await stream.authenticate(token)
        yield stream
