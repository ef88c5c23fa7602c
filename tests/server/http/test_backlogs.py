"""Clients that come all at once find room at every port, however busy the process behind it is at that moment.

Each process is held up while they come: what connects then is what the kernel holds for it.
"""

import asyncio
import os
import selectors
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli.page_server import serve_page
from cli.shop import Shop
from server.http.listening import BACKLOG
from stockwire import AsyncClient
from tests.harness.servers import free_port
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.server.tls.certificates import Authority

AT_ONCE = 1_000
DEADLINE_S = 10.0


async def test_a_thousand_clients_at_once_find_room_at_every_port(
    process_system: ProcessSystem, tmp_path: Path
) -> None:
    """A hub by itself, and one whose workers share their ports; with TLS and without."""
    ledger = await process_system.start_ledger()
    encrypted = Authority(tmp_path / "authority").server
    hub = await process_system.start_hub()
    shared = await process_system.start_hub("--workers", "2", **encrypted)
    workers = [worker["pid"] for worker in shared.ready["workers"]]
    for process, pids, ports in (
        (ledger, [ledger.pid], ("url", "admin")),
        (hub, [hub.pid], ("stream", "read", "admin")),
        (shared, workers, ("stream", "read")),
    ):
        with standing_still(pids):
            for port in ports:
                assert connected(process.ready[port]) == AT_ONCE, f"{process.name}, {port}"
                assert_backlog(process.ready[port])


@pytest.mark.usefixtures("processes")
async def test_a_thousand_clients_at_once_find_room_at_the_page_of_the_shop() -> None:
    port = free_port()
    async with AsyncClient("http://127.0.0.1:1", "none") as client:
        shop = Shop("http://127.0.0.1:1", "none", [], "shop", [], [f"http://127.0.0.1:{port}"])
        serving = asyncio.create_task(serve_page(shop, client, "127.0.0.1", port))
        try:
            await wait_until(lambda: accepts(port))
            assert connected(f"http://127.0.0.1:{port}") == AT_ONCE  # which blocks the loop that would accept
            assert_backlog(f"http://127.0.0.1:{port}")
        finally:
            serving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await serving


@contextmanager
def standing_still(pids: Sequence[int]) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def connected(url: str) -> int:
    """How many of AT_ONCE connections are made while nobody accepts one. Blocks until all are, or DEADLINE_S."""
    parts = urlsplit(url)
    sockets = [socket.socket() for _ in range(AT_ONCE)]
    try:
        with selectors.DefaultSelector() as selector:
            for one in sockets:
                one.setblocking(False)
                one.connect_ex((parts.hostname, parts.port))
                selector.register(one, selectors.EVENT_WRITE)
            ends, left = time.monotonic() + DEADLINE_S, AT_ONCE
            while left and (wait_s := ends - time.monotonic()) > 0:
                for key, _ in selector.select(wait_s):
                    selector.unregister(key.fileobj)
                    left -= 1
        return AT_ONCE - left
    finally:
        for one in sockets:
            one.close()


def assert_backlog(url: str) -> None:
    """What the kernel holds for each who listens there, which AT_ONCE cannot tell from a smaller number."""
    somaxconn = Path("/proc/sys/net/core/somaxconn")
    if not somaxconn.exists() or shutil.which("ss") is None:
        return  # only Linux says so
    shown = subprocess.run(
        ["ss", "-Hltn", f"sport = :{urlsplit(url).port}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    held = [int(line.split()[2]) for line in shown.stdout.splitlines()]  # Send-Q
    assert held
    assert set(held) == {min(BACKLOG, int(somaxconn.read_text()))}, url


async def accepts(port: int) -> bool:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.transport.abort()
    return True
