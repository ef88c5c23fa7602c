"""Stands before a server and passes on whatever it is asked."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx
from aiohttp import web

from tests.harness.waiting import PATIENCE_S

OF_ONE_CONNECTION = ("host", "content-length", "transfer-encoding", "connection", "accept-encoding")
"""What is not passed on, either way."""


class Relay:
    """``target``: the server's address. Who overrides ``answer`` does something before or behind ``pass_on``, or in its
    place. An async context manager."""

    def __init__(self, target: str) -> None:
        self._target = target

    @property
    def port(self) -> int:
        return int(self._runner.addresses[0][1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._http = httpx.AsyncClient(base_url=self._target, timeout=PATIENCE_S)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._http.aclose()

    async def answer(self, request: web.Request) -> web.Response:
        return await self.pass_on(request)

    async def pass_on(self, request: web.Request, path: str | None = None) -> web.Response:
        """``path``: instead of the one that was asked for."""
        answer = await self._http.request(
            request.method,
            path or request.path,
            params=dict(request.query),
            headers=_kept(request.headers),
            content=await request.read(),
        )
        return web.Response(status=answer.status_code, body=answer.content, headers=_kept(answer.headers))


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in OF_ONE_CONNECTION}
