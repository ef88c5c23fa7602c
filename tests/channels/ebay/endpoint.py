"""An endpoint of notices in the test's own process: it answers challenges, and keeps what comes."""

import hashlib
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

TOKEN = "verification-token-of-the-test-0123456789"


@dataclass(slots=True)
class Endpoint:
    """``status``: what notices are answered with. ``received``: signature and raw body. An async context manager."""

    token: str = TOKEN
    status: int = 204
    received: list[tuple[str, bytes]] = field(default_factory=list)
    url: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/notices", self._challenge)
        app.router.add_post("/notices", self._receive)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/notices"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _challenge(self, request: web.Request) -> web.Response:
        hashed = hashlib.sha256(f"{request.query['challenge_code']}{self.token}{self.url}".encode()).hexdigest()
        return web.json_response({"challengeResponse": hashed})

    async def _receive(self, request: web.Request) -> web.Response:
        self.received.append((request.headers["X-EBAY-SIGNATURE"], await request.read()))
        return web.Response(status=self.status)
