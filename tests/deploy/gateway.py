"""HAProxy before the pods of a cluster, led to those that are ready as the controller of a Gateway does it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.deploy.node import Cluster, Pod
from tests.harness.programs import need_program, running
from tests.harness.waiting import wait_until

PLACES = 16
"""Pods of a component that it may be led to until its end, those that have gone among them."""
WEIGHT_MAX = 256
LOOK_S = 0.05
HEAD = """\
global
    maxconn 8000
    stats socket "{socket}" level admin
defaults
    mode http
    timeout connect 2s
    timeout client 90s
    timeout server 90s
    timeout tunnel 90s
    # a connection that could not be made is tried elsewhere; what was sent is never sent again
    retries 3
    option redispatch 1
"""
ROUTE = """\
listen {name}
    bind {address}:{port}
    balance {balance}
    server-template pod 1-{places} 127.0.0.1:{port} disabled
"""
BALANCE = {"api": "roundrobin", "stream": "leastconn", "read": "leastconn"}


class Gateway:
    """``async with``: ``ports``, of which component each, are led on to pods that are ready, by the same numbers.

    ``weights``: by revision, what its pods are sent together beside those of others; set it at any time.
    """

    def __init__(self, cluster: Cluster, folder: Path, ports: Mapping[str, tuple[str, int]]) -> None:
        """``ports``: by their names, such as ``{"stream": ("hub", 8090)}``."""
        self.address = cluster.next_address()
        self.weights: Mapping[str, int] = {}
        self._cluster = cluster
        self._ports = ports
        self._folder = folder
        self._socket = folder / "gateway.socket"
        self._places: dict[tuple[str, str], int] = {}
        self._told: dict[tuple[str, int], tuple[str, ...]] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Gateway":
        program = need_program("haproxy")
        configuration = self._folder / "gateway.cfg"
        configuration.write_text(
            HEAD.format(socket=self._socket)
            + "".join(
                ROUTE.format(name=name, address=self.address, port=port, balance=BALANCE[name], places=PLACES)
                for name, (_, port) in self._ports.items()
            )
        )
        log = self._folder / "gateway.log"
        self._stack.enter_context(running([program, "-db", "-f", str(configuration)], log))
        await wait_until(lambda: self.asked("show info"), what="HAProxy answers")
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        following = tasks.create_task(self._follow(), name="a Gateway's controller")
        self._stack.callback(following.cancel)
        return self

    async def __aexit__(self, *raised: Any) -> None:
        await self._stack.__aexit__(*raised)

    async def asked(self, *commands: str) -> str:
        """Raises OSError."""
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            writer.write(("; ".join(commands) + "\n").encode())
            return (await reader.read(-1)).decode()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _follow(self) -> None:
        while True:
            told = self._to_tell()
            if commands := [command for key, some in told.items() if self._told.get(key) != some for command in some]:
                answer = await self.asked(*commands)
                assert "No such" not in answer, answer
            self._told |= told
            await asyncio.sleep(LOOK_S)

    def _to_tell(self) -> dict[tuple[str, int], tuple[str, ...]]:
        """What HAProxy is to know of each place, in its words."""
        told: dict[tuple[str, int], tuple[str, ...]] = dict.fromkeys(self._told, ())
        for name, (component, port) in self._ports.items():
            ready = [pod for pod in self._cluster.pods.get(component, ()) if pod.ready]
            of_revision = Counter(pod.revision for pod in ready)
            for place in {place for at, place in self._told if at == name}:
                told[name, place] = (f"set server {name}/pod{place} state maint",)
            for pod in ready:
                place = self._place_of(name, pod)
                weight = self.weights.get(pod.revision, 100) / 100 / of_revision[pod.revision]
                server = f"set server {name}/pod{place}"
                told[name, place] = (
                    f"{server} addr {pod.address} port {port}",
                    f"{server} weight {round(weight * WEIGHT_MAX)}",
                    f"{server} state ready",
                )
        return told

    def _place_of(self, name: str, pod: Pod) -> int:
        return self._places.setdefault((name, pod.address), 1 + sum(at == name for at, _ in self._places))
