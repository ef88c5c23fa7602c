"""Everybody who is served in one protocol: one place to end them, all or those of a key, and to see to deadlines."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from math import inf
from typing import Generic, Protocol, TypeVar

from hub.endings import Ending
from hub.errors import Ended
from wire.tokens import Principal

DEADLINES_S = 0.25
ENDS_PER_TURN = 200  # closing thousands must not hold up the rest
AGE_SPREAD = 0.25
"""Connections that came together do not leave together: each some time within this last part of its age."""


class Connected(Protocol):
    """One connection that is served, in whatever protocol."""

    @property
    def served(self) -> Principal | None:
        """None: it has shown no key or token yet."""

    def end(self, ended: Ended) -> None:
        """Say why, and close. Returns at once. Safe to call twice."""

    def check_deadlines(self, now: float, wall: float) -> None:
        """Do what is due. ``now``: seconds of the loop's clock; ``wall``: Unix time, since that is what tokens end by.

        Called a few times a second.
        """


ConnectedT = TypeVar("ConnectedT", bound=Connected)


class Connections(Generic[ConnectedT]):
    """``connections_max``: how many there may be; whoever adds one asks first whether it is ``full``.

    Where visitors can give way there may be some more, until it is known who they are: then it is ``over``.
    """

    def __init__(self, connections_max: int, age_s: float = 0.0) -> None:
        """``age_s``: how old one may become; 0: any age."""
        self._connections_max = connections_max
        self._age_s = age_s
        self._connections: dict[ConnectedT, float] = {}
        self._gone = asyncio.Event()

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[ConnectedT]:
        """Those of this moment: some may go, or come, while they are gone through."""
        return iter(list(self._connections))

    def __contains__(self, connection: object) -> bool:
        return connection in self._connections

    @property
    def full(self) -> bool:
        return len(self._connections) >= self._connections_max

    @property
    def over(self) -> bool:
        return len(self._connections) > self._connections_max

    def add(self, connection: ConnectedT) -> None:
        age_s = self._age_s * random.uniform(1 - AGE_SPREAD, 1) if self._age_s else inf
        self._connections[connection] = asyncio.get_running_loop().time() + age_s

    def remove(self, connection: ConnectedT) -> None:
        """Safe to call twice."""
        self._connections.pop(connection, None)
        self._gone.set()

    def overdue(self, now: float) -> Iterator[tuple[ConnectedT, float]]:
        """Each that is old enough to leave, and since when. ``now``: seconds of the loop's clock."""
        return ((connection, at) for connection, at in self._connections.items() if at <= now)

    def leaves(self, connection: ConnectedT) -> None:
        """It was told to: it is not ``overdue`` any more, though it counts until it is gone."""
        self._connections[connection] = inf

    async def run(self) -> None:
        """Sees to the deadlines of all, in one loop instead of a task for each. Until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            now, wall = clock(), time.time()
            for connection in self:
                connection.check_deadlines(now, wall)
            await asyncio.sleep(DEADLINES_S)

    async def end_all(self, ending: Ending, away_ms: Callable[[], int]) -> None:
        """``away_ms``: how long each is asked to stay away."""
        for index, connection in enumerate(self):
            connection.end(Ended(ending, after_ms=away_ms()))
            if index % ENDS_PER_TURN == ENDS_PER_TURN - 1:
                await asyncio.sleep(0)

    def end_key(self, key: str) -> None:
        """The API key with this id was revoked: end what it, or a token minted with it, has opened."""
        for connection in self:
            if connection.served is not None and connection.served.key == key:
                connection.end(Ended(Ending.KEY_REVOKED))

    def keys_in_use(self) -> list[str]:
        everybody = (connection.served for connection in self)
        return [principal.key for principal in everybody if principal is not None and principal.key]

    async def wait_until_gone(self) -> None:
        while self._connections:
            self._gone.clear()
            await self._gone.wait()
