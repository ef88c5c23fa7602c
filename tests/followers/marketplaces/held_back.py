"""Stands before a marketplace and holds back the first request that would set stock there: it arrives late."""

import asyncio
from types import TracebackType

from aiohttp import web

from tests.followers.marketplaces.relay import Relay

SETS = b"inventorySetQuantities"
"""In the body of Shopify's requests that set stock, and of no others."""


class HeldBack(Relay):
    """From ``hold`` on, the next push waits for ``let_go``; ``held`` says that it is there. All others pass."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._holds = False
        self._goes = asyncio.Event()
        self.held = asyncio.Event()

    def hold(self) -> None:
        self._holds = True

    def let_go(self) -> None:
        self._goes.set()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go()
        await super().__aexit__(kind, error, trace)

    async def answer(self, request: web.Request) -> web.Response:
        if self._holds and SETS in await request.read():
            self._holds = False
            self.held.set()
            await self._goes.wait()
        return await self.pass_on(request)
