"""Receivers of webhooks in the test's own process: what came, in order, and answers by chance."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from aiohttp import web

SAID = "what a receiver says is its own: 7f3a-private"
"""The body of each answer that has one: it belongs into no log of ours."""
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

    @property
    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found


@dataclass(frozen=True, slots=True)
class Told:
    """What an accepted message, or a member of a batch, told of a level; the version as its owner sees it."""

    type: str
    epoch: str
    version: int


@dataclass(slots=True)
class Receivers:
    """``answers``: a status by path, 204 where there is none; after ``delays_s``. ``port``: 0 is any. An async context
    manager."""

    answers: dict[str, Answer] = field(default_factory=dict)
    delays_s: dict[str, float] = field(default_factory=dict)
    received: dict[str, list[Received]] = field(default_factory=lambda: defaultdict(list))
    port: int = 0
    told: dict[str, dict[str, list[Told]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    """By path and sku, repeats left out."""
    url: str = ""
    _bodies: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _known: set[tuple[str, str]] = field(default_factory=set)
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
        self._keep(name, headers["webhook-id"], body, content, accepted=200 <= status < 300)
        self.received[name].append(
            Received(
                headers["webhook-id"],
                int(headers["webhook-timestamp"]),
                headers["webhook-signature"],
                body,
                200 <= status < 300,
            )
        )
        await asyncio.sleep(self.delays_s.get(name, 0))
        return web.Response(status=status, text=None if status in (204, 205, 304) else SAID)

    @property
    def count(self) -> int:
        return sum(map(len, self.received.values()))

    def versions(self, name: str) -> dict[str, list[int]]:
        """Of ``stock.changed``, by sku, as they were accepted, alone or in batches; repeats of an id left out."""
        found: dict[str, list[int]] = defaultdict(list)
        for sku, told in self.told[name].items():
            for one in told:
                if one.type == "stock.changed":
                    found[sku].append(one.version)
        return found

    def ids_with_two_bodies(self) -> list[str]:
        """Of messages, and of members of batches."""
        return [one for one, different in self._bodies.items() if len(different) > 1]

    def _keep(self, name: str, identifier: str, body: bytes, content: dict[str, Any], *, accepted: bool) -> None:
        self._bodies[identifier].add(hash(body))
        members = content["data"]["events"] if content["type"] == "batch" else [{"id": identifier, **content}]
        for one in members:
            message, data = {part: one[part] for part in ("type", "timestamp", "data")}, one["data"]
            self._bodies[one["id"]].add(hash(orjson.dumps(message)))
            if accepted and "sku" in data and (name, one["id"]) not in self._known:
                self._known.add((name, one["id"]))
                self.told[name][data["sku"]].append(Told(one["type"], one["id"].rsplit("_", 3)[0], data["version"]))


def failing(share: float, seed: int) -> Answer:
    """500 so often, else 200."""
    chance = random.Random(seed)
    return lambda _: 500 if chance.random() < share else 200
