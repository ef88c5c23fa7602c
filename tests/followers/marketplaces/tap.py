"""Stands where notices arrive: hands each on to `stockwire channels`, and tells somebody else of it too."""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import httpx
from aiohttp import web

from followers.marketplaces.terms import Notice
from tests.harness.waiting import PATIENCE_S

LEFT_OUT = ("host", "content-length", "connection", "accept-encoding")
Heard = Callable[[str, Notice], Awaitable[None]]


class Tap:
    """``target``: of the channels' API. ``heard``: is told of each channel's notice that was handed on. An async
    context manager."""

    def __init__(self, target: str, heard: Heard) -> None:
        self._target = target
        self._heard = heard

    async def __aenter__(self) -> Self:
        self._http = httpx.AsyncClient(base_url=self._target, timeout=PATIENCE_S)
        app = web.Application()
        app.router.add_route("*", "/{channel}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._http.aclose()

    def url(self, channel: str) -> str:
        return f"http://127.0.0.1:{self._port}/{channel}"

    async def _pass_on(self, request: web.Request) -> web.Response:
        channel, body = request.match_info["channel"], await request.read()
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower() not in LEFT_OUT}
        path = f"/v1/channels/{channel}/notices"
        answer = await self._http.request(
            request.method, path, params=dict(request.query), headers=headers, content=body
        )
        if request.method == "POST" and answer.is_success:
            await self._heard(channel, Notice(headers, body))
        kind = answer.headers.get("content-type", "").partition(";")[0] or None
        return web.Response(status=answer.status_code, body=answer.content, content_type=kind)
