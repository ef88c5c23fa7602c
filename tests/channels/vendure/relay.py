"""Stands between our plugin in a Vendure shop and where its notices arrive, and does to them what a network does."""

import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.channels.shared.faults import NoticeFaults
from tests.channels.shared.notices import Notice, Notices, Patience, Post, Subscription
from tests.harness.waiting import PATIENCE_S

TOPIC = "vendure.changed"
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type")
PATIENCE = Patience((1.0, 5.0), failures=None)
"""As the plugin's own."""


class Relay:
    """Each notice is answered at once and sent on as it was signed. An async context manager."""

    def __init__(self) -> None:
        self._headers: dict[str, Mapping[str, str]] = {}
        self._notices = Notices(Post(lambda _, notice: self._headers[notice.id], PATIENCE_S), PATIENCE)

    async def __aenter__(self) -> Self:
        await self._notices.__aenter__()
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._notices.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        """For the plugin."""
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/"

    @property
    def counts(self) -> Counter[str]:
        return self._notices.counts

    def lead_to(self, url: str) -> None:
        """Until then what comes goes nowhere."""
        self._notices.subscriptions["plugin"] = Subscription("plugin", frozenset({TOPIC}), url)

    def fault(self, faults: NoticeFaults) -> None:
        self._notices.faults = faults

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in SIGNED}
        identifier = headers["webhook-id"]
        self._headers[identifier] = headers
        self._notices.publish(Notice(identifier, TOPIC, await request.read(), time.time()))
        return web.Response()
