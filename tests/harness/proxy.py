"""A TCP proxy that does to a link what networks do: cuts, stalls, drips, half-opens, resets in the middle of a frame.

It runs in the test's own event loop. ``up`` is the direction from the client to the server, ``down`` the way back.
"""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.harness.waiting import PATIENCE_S

Direction = Literal["up", "down"]
CHUNK_BYTES = 65_536
CONNECT_DEADLINE_S = 5.0


@dataclass(eq=False)
class Flow:
    """What happens to the bytes of one direction, on every connection, present and future.

    ``stalled``: nothing is read any more, so the sender's buffers fill. ``swallowing``: bytes are read and thrown away,
    as behind a half-open link: the sender sees no error. ``drip_bytes`` at a time, with ``drip_pause_s`` in between.
    ``reset_after_bytes``: once that many more bytes have passed, every connection is reset (RST), in mid-frame or not.
    ``drop_chance``: of each piece that arrives, that it is thrown away and its connection reset: on ``down``, an answer
    that is lost after its request took effect. ``heard``: if set, everything that has passed is added to it.
    """

    bytes_passed: int = 0
    swallowing: bool = False
    drip_bytes: int = CHUNK_BYTES
    drip_pause_s: float = 0.0
    reset_after_bytes: int | None = None
    drop_chance: float = 0.0
    dropped: int = 0
    heard: bytearray | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    def stall(self) -> None:
        self.open.clear()

    def drip(self, chunk_bytes: int, pause_s: float) -> None:
        self.drip_bytes, self.drip_pause_s = chunk_bytes, pause_s

    def swallow(self) -> None:
        self.swallowing = True

    def reset_after(self, passed_bytes: int) -> None:
        self.reset_after_bytes = passed_bytes

    def drop(self, chance: float) -> None:
        self.drop_chance = chance

    def heal(self) -> None:
        self.swallowing = False
        self.drop_chance = 0.0
        self.drip(CHUNK_BYTES, 0.0)
        self.reset_after_bytes = None
        self.open.set()


class Proxy:
    """Listens on ``127.0.0.1:port`` for ``target``; use ``async with proxy_to(host, port) as proxy``."""

    def __init__(self, target: tuple[str, int] | Path) -> None:
        self.target = target
        self.up = Flow()
        self.down = Flow()
        self.accepted = 0
        self.refusing = False
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._changed = asyncio.Event()

    @property
    def port(self) -> int:
        assert self._server
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        return len(self._links)

    def flow(self, direction: Direction) -> Flow:
        return self.up if direction == "up" else self.down

    def cut(self) -> None:
        """Reset every connection now (RST both ways); new ones are taken unless ``refuse`` was called."""
        for link in tuple(self._links):
            link.reset()

    def refuse(self) -> None:
        """Cut, and reset every new connection as soon as it comes, until ``heal``."""
        self.refusing = True
        self.cut()

    def stall(self) -> None:
        self.up.stall()
        self.down.stall()

    def half_open(self) -> None:
        """Everything sent vanishes, both ways, and nobody hears an error: a pulled cable behind a switch."""
        self.up.swallow()
        self.down.swallow()

    def heal(self) -> None:
        """New connections and what is left of the old ones work again; bytes swallowed are lost."""
        self.refusing = False
        self.up.heal()
        self.down.heal()

    async def connected(self, accepted: int, deadline_s: float = PATIENCE_S) -> None:
        """Until at least ``accepted`` connections were taken, since the beginning."""
        async with asyncio.timeout(deadline_s):
            while self.accepted < accepted:
                self._changed.clear()
                await self._changed.wait()

    async def passed(self, direction: Direction, at_least_bytes: int, deadline_s: float = PATIENCE_S) -> None:
        """Until ``bytes_passed`` of the direction has reached ``at_least_bytes``."""
        async with asyncio.timeout(deadline_s):
            while self.flow(direction).bytes_passed < at_least_bytes:
                self._changed.clear()
                await self._changed.wait()

    async def was_reset(self, direction: Direction, deadline_s: float = PATIENCE_S) -> None:
        """Until the reset that ``reset_after`` asked for has come."""
        async with asyncio.timeout(deadline_s):
            while self.flow(direction).reset_after_bytes is not None:
                self._changed.clear()
                await self._changed.wait()

    async def listen(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=CHUNK_BYTES)

    async def close(self) -> None:
        """Safe if it never listened, and twice."""
        if self._server is None:
            return
        self._server.close()
        self.cut()
        for link in tuple(self._links):
            with contextlib.suppress(asyncio.CancelledError):
                await link.ended
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._changed.set()
        if self.refusing:
            _reset(writer)
            return
        link = _Link(writer)
        self._links.add(link)  # from now on it can be cut
        try:
            async with asyncio.timeout(CONNECT_DEADLINE_S):
                server_reader, link.server = await self._connect()
            if writer.transport.is_closing():
                return
            for end in (writer, link.server):
                end.transport.set_write_buffer_limits(high=0)  # drain() returns when all has gone to the kernel
            async with asyncio.TaskGroup() as group:
                link.tasks = (
                    group.create_task(self._pump(reader, link.server, self.up), name="proxy up"),
                    group.create_task(self._pump(server_reader, writer, self.down), name="proxy down"),
                )
        except OSError:
            pass  # the target is away, which a reset says
        finally:
            self._links.discard(link)
            link.reset()
            link.ended.set_result(None)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(self.target, limit=CHUNK_BYTES)
        return await asyncio.open_connection(*self.target, limit=CHUNK_BYTES)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: Flow) -> None:
        """Ends the direction as it ended at its source: a FIN is passed on, an error resets both."""
        try:
            while True:
                await flow.open.wait()
                data = await reader.read(flow.drip_bytes)
                await flow.open.wait()
                if not data:
                    break
                await self._pass(data, writer, flow)
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            self._reset_link_of(writer)

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter, flow: Flow) -> None:
        if flow.swallowing:
            return
        if flow.drop_chance and random.random() < flow.drop_chance:
            flow.dropped += 1
            raise ConnectionResetError
        if flow.reset_after_bytes is not None:
            data, left = data[: flow.reset_after_bytes], flow.reset_after_bytes - len(data)
            flow.reset_after_bytes = max(left, 0)
        writer.write(data)
        await writer.drain()
        flow.bytes_passed += len(data)
        if flow.heard is not None:
            flow.heard += data
        self._changed.set()
        if flow.reset_after_bytes == 0:
            flow.reset_after_bytes = None
            self.cut()
            self._changed.set()
        if flow.drip_pause_s:
            await asyncio.sleep(flow.drip_pause_s)

    def _reset_link_of(self, writer: asyncio.StreamWriter) -> None:
        for link in tuple(self._links):
            if writer in (link.client, link.server):
                link.reset()


def proxy_to(host: str, port: int, listen_port: int = 0) -> AbstractAsyncContextManager[Proxy]:
    return _listening(Proxy((host, port)), listen_port)


def proxy_to_socket(path: Path, listen_port: int = 0) -> AbstractAsyncContextManager[Proxy]:
    """From TCP to a Unix socket, such as the ``socket`` of a PostgresServer or a ValkeyServer."""
    return _listening(Proxy(path), listen_port)


@asynccontextmanager
async def _listening(proxy: Proxy, listen_port: int) -> AsyncIterator[Proxy]:
    await proxy.listen(listen_port)
    try:
        yield proxy
    finally:
        await proxy.close()


class _Link:
    """The two sockets of one proxied connection, of which the second comes later."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.tasks: tuple[asyncio.Task[None], ...] = ()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def reset(self) -> None:
        _reset(self.client)
        if self.server is not None:
            _reset(self.server)
        for task in self.tasks:
            task.cancel()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN: whatever was buffered is gone."""
    connection = writer.get_extra_info("socket")
    if connection is not None and not writer.transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
