"""Receivers of webhooks in the test's own process: what came, in order, and answers by chance."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from aiohttp import web

Answer = Callable[[dict[str, Any]], int]
"""The status, by what was sent."""


@dataclass(frozen=True, slots=True)
class Received:
    """``accepted``: whether it was answered with success."""

    id: str
    timestamp: int
    signature: str
    body: bytes
    accepted: bool
    content: dict[str, Any]


@dataclass(slots=True)
class Receivers:
    """``answers``: a status by path, 204 where there is none; after ``delays_s``. ``port``: 0 is any. An async context
    manager."""

    answers: dict[str, Answer] = field(default_factory=dict)
    delays_s: dict[str, float] = field(default_factory=dict)
    received: dict[str, list[Received]] = field(default_factory=lambda: defaultdict(list))
    port: int = 0
    url: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{name}", self._receive)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        body = await request.read()
        content = orjson.loads(body)
        status = self.answers[name](content) if name in self.answers else 204
        headers = request.headers
        self.received[name].append(
            Received(
                headers["webhook-id"],
                int(headers["webhook-timestamp"]),
                headers["webhook-signature"],
                body,
                200 <= status < 300,
                content,
            )
        )
        await asyncio.sleep(self.delays_s.get(name, 0))
        return web.Response(status=status)

    @property
    def count(self) -> int:
        return sum(map(len, self.received.values()))

    def versions(self, name: str) -> dict[str, list[int]]:
        """Of ``stock.changed``, by sku, as they were accepted; repeats of an id left out."""
        seen: set[str] = set()
        found: dict[str, list[int]] = defaultdict(list)
        for one in self.received[name]:
            if one.accepted and one.id not in seen and one.content["type"] == "stock.changed":
                seen.add(one.id)
                data = one.content["data"]
                found[data["sku"]].append(data["version"])
        return found

    def members(self, name: str) -> dict[str, list[int]]:
        """Of batches: versions of ``stock.changed`` by sku, as they were accepted; repeats of an id left out."""
        seen: set[str] = set()
        found: dict[str, list[int]] = defaultdict(list)
        for batch in self.received[name]:
            for one in batch.content["data"]["events"] if batch.accepted else []:
                if one["id"] not in seen and one["type"] == "stock.changed":
                    seen.add(one["id"])
                    found[one["data"]["sku"]].append(one["data"]["version"])
        return found

    def ids_with_two_bodies(self) -> list[str]:
        bodies: dict[str, set[bytes]] = defaultdict(set)
        for received in self.received.values():
            for one in received:
                bodies[one.id].add(one.body)
        return [one for one, different in bodies.items() if len(different) > 1]


def failing(share: float, seed: int) -> Answer:
    """500 so often, else 200."""
    chance = random.Random(seed)
    return lambda _: 500 if chance.random() < share else 200
