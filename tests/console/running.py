"""A console in the test's own loop, and viewers of it."""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from console.following.ledger import SCOPES
from console.process import Console
from console.settings import read_settings
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

Data = Mapping[str, Any]


class RunningConsole:
    def __init__(self, console: Console, url: str, system: System) -> None:
        self.console = console
        self.url = url
        self.system = system

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[httpx.AsyncClient]:
        """A page of the console's own: it keeps cookies and says where it is from."""
        async with httpx.AsyncClient(
            base_url=self.url, headers={"Origin": self.url}, timeout=PATIENCE_S, trust_env=False
        ) as http:
            yield http

    @asynccontextmanager
    async def signed_in(self, *scopes: str, owner: str = "operations") -> AsyncIterator[httpx.AsyncClient]:
        """``scopes``: of the key; by default all that can be done here."""
        key = await self.system.key(owner, *(scopes or ("admin", "stock:read:*")))
        async with self.browser() as http:
            answer = await http.post("/api/session", json={"key": key})
            assert answer.status_code == 200, answer.text
            http.headers["X-Stockwire-CSRF"] = answer.json()["csrf"]
            yield http

    @asynccontextmanager
    async def viewer(self, http: httpx.AsyncClient) -> AsyncIterator["Viewer"]:
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        address = f"{self.url.replace('http', 'ws', 1)}/live"
        async with connect(address, origin=self.url, additional_headers={"Cookie": cookie}, proxy=None) as socket:  # type: ignore[arg-type]  # an origin is text
            yield Viewer(socket)


class Viewer:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._numbers = itertools.count(1)
        self._number = 0

    async def show(self, topic: str, **arguments: object) -> Data:
        """The first answer."""
        self._number = next(self._numbers)
        await self.socket.send(json.dumps({"id": self._number, "show": topic, "args": arguments}))
        return await self.next()

    async def next(self) -> Data:
        """The next answer to what was asked for last."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message: Data = json.loads(await self.socket.recv())
                if message["id"] == self._number:
                    return message

    async def until(self, topic: str, true: Any, **arguments: object) -> Data:
        """Whole answers, one after the other, until ``true`` of one."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.show(topic, **arguments)
                if true(message["data"]):
                    data: Data = message["data"]
                    return data

    async def closed(self) -> int | None:
        """The close code."""
        async with asyncio.timeout(PATIENCE_S):
            await self.socket.wait_closed()
        return self.socket.close_code


@asynccontextmanager
async def running_console(
    system: System,
    *,
    link: Path | None = None,
    hosts: tuple[str, ...] = (),
    settings: Mapping[str, str] | None = None,
    port: int = 0,
) -> AsyncIterator[RunningConsole]:
    """Ready: everything that it follows is followed. ``settings``: beside those that it needs."""
    key = await system.key("console", *SCOPES)
    admin = ",".join(process.admin for process in (*system.ledgers, *system.hubs))
    read = read_settings(
        {
            "STOCKWIRE_URL": system.ledger_url,
            "STOCKWIRE_CONSOLE_KEY": key,
            "STOCKWIRE_ADMIN_URLS": admin,
            "STOCKWIRE_CONSOLE_ORIGINS": ",".join(hosts),
            "STOCKWIRE_CONSOLE_LINK_FILE": "" if link is None else str(link),
            **(settings or {}),
        }
    )
    listener = socket.create_server(("127.0.0.1", port), backlog=100)
    console = Console(read, listener)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with asyncio.TaskGroup() as tasks:
        started = asyncio.Event()
        running = tasks.create_task(console.run(started.set))
        await started.wait()
        try:
            yield RunningConsole(console, url, system)
        finally:
            console.stop()
            async with asyncio.timeout(PATIENCE_S):
                await running
