"""Stands before a marketplace and holds back the first request that would set stock there: it arrives late."""

import asyncio
from types import TracebackType
from typing import Self

import httpx
from aiohttp import web

from tests.harness.waiting import PATIENCE_S

SETS = b"inventorySetQuantities"
"""In the body of Shopify's requests that set stock, and of no others."""
LEFT_OUT = ("host", "content-length", "connection", "accept-encoding")


class HeldBack:
    """``target``: of the vendor's API. From ``hold`` on, the next push waits for ``let_go``; ``held`` says that it is
    there. All others pass. An async context manager.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._holds = False
        self._goes = asyncio.Event()
        self.held = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def hold(self) -> None:
        self._holds = True

    def let_go(self) -> None:
        self._goes.set()

    async def __aenter__(self) -> Self:
        self._http = httpx.AsyncClient(base_url=self._target, timeout=PATIENCE_S)
        app = web.Application()
        app.router.add_route("POST", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go()
        await self._runner.cleanup()
        await self._http.aclose()

    async def _pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self._holds and SETS in body:
            self._holds = False
            self.held.set()
            await self._goes.wait()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in LEFT_OUT}
        answer = await self._http.post(request.path_qs, headers=headers, content=body)
        kind = answer.headers.get("content-type", "").partition(";")[0] or None
        return web.Response(status=answer.status_code, body=answer.content, content_type=kind)
