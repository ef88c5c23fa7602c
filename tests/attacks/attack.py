"""One attack: what it is called, what it may meet, and the target that it is told of."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.harness.stream import Stream, open_stream
from tests.harness.waiting import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Target:
    """All that an attacker knows. ``key``: its own, for ``location``; ``foreign``: another tenant's location, which is
    public for pages of ``origin``.

    ``position``: one of the other tenant's. ``greedy``: a key of an owner whose rate one attack uses up. ``revoked``: a
    key that is good until ``admin`` revokes it; ``admin`` is only used for that. ``full``: 1.0 for `make attacks`, less
    for a short run.
    """

    streams: list[str]
    reads: list[str]
    ledger: str
    key: str
    location: str
    foreign: str
    foreign_key_id: str
    greedy: str
    position: dict[str, Any]
    revoked: str
    admin: str
    full: float
    origin: str


class Met(Counter[str]):
    """What an attack met, by name: ``close 4001``, ``401``, ``error forbidden``."""

    async def http(self, method: str, url: str, token: str | None, **options: Any) -> httpx.Response:
        headers = options.pop("headers", {}) | ({} if token is None else {"Authorization": f"Bearer {token}"})
        async with httpx.AsyncClient(
            trust_env=False,
            verify=False,
            timeout=PATIENCE_S,
        ) as client:
            answer = await client.request(method, url, headers=headers, **options)
        self[str(answer.status_code)] += 1
        return answer

    async def upgrade(self, url: str, token: str | None = None, **options: Any) -> None:
        """Open a connection that should not be opened."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            async with open_stream(url, additional_headers=headers, **options):
                self["101"] += 1
        except InvalidStatus as refused:
            self[str(refused.response.status_code)] += 1

    async def connect(self, url: str, token: str) -> None:
        """Show a token that should not be taken, in both ways."""
        await self.upgrade(url, token)
        async with open_stream(url) as stream:
            await stream.request("connect", token=token)
            await self.ended(stream)

    async def ended(self, stream: Stream) -> None:
        code = await stream.closed(PATIENCE_S)
        self["cut off" if code is None else f"close {code}"] += 1

    async def errors(self, stream: Stream) -> None:
        """Count what was answered, until the hub ends the connection."""
        await self.ended(stream)
        for message in stream.seen:
            if message["type"] == "error":
                self[f"error {message['code']}"] += 1


Run = Callable[[Target, Met], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Attack:
    """``expected``: it may meet these and nothing else. ``must``: it meets each of these."""

    title: str
    run: Run
    must: frozenset[str]
    expected: frozenset[str]

    @property
    def name(self) -> str:
        return self.run.__name__

    async def strike(self, target: Target) -> Met:
        met = Met()
        await self.run(target, met)
        return met

    def wrong(self, met: Met) -> str | None:
        """What it met that it should not, or missed."""
        surplus, missed = sorted(set(met) - self.must - self.expected), sorted(self.must - set(met))
        return f"{self.title}: met {surplus}, missed {missed}" if surplus or missed else None


def attack(title: str, must: str, may: str = "") -> Callable[[Run], Attack]:
    """``must`` and ``may``: separated by commas."""

    def named(run: Run) -> Attack:
        return Attack(title, run, _set(must), _set(may))

    return named


async def at_once(number: int, one: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for _ in range(number):
            tasks.create_task(_run(one))


async def _run(one: Callable[[], Awaitable[None]]) -> None:
    with contextlib.suppress(ConnectionClosed):
        await one()


def _set(names: str) -> frozenset[str]:
    return frozenset(name.strip() for name in names.split(",") if name.strip())
