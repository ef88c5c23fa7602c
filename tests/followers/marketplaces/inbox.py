"""Where a channel's notices arrive in tests: kept as they came, raw."""

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web

from followers.marketplaces.adapter import Adapter, Notice, NoticeRefused

WITHIN_S = 5.0


class Inbox:
    """An HTTP server of this process. ``adapter``: answers challenges, which come before any notice.
    ``port``: 0 for any.
    """

    def __init__(self, adapter: Adapter | None = None, port: int = 0) -> None:
        self.adapter = adapter
        self._port = port
        self._kept: list[Notice] = []
        self._some = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_route("*", "/notices", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/notices"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def taken(self) -> list[Notice]:
        """Those since the last call; waits a few seconds for a first one."""
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._some.wait()
        except TimeoutError:
            return []
        self._some.clear()
        taken, self._kept = self._kept, []
        return taken

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        notice = Notice(headers, await request.read(), dict(request.query))
        if self.adapter is not None:
            try:
                received = await self.adapter.receive(notice)
            except NoticeRefused:
                return web.Response(status=401)
            if received.answer:
                return web.Response(body=received.answer, content_type=received.answer_type)
        self._kept.append(notice)
        self._some.set()
        return web.Response()
