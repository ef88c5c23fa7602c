"""Stands where notices arrive: hands each on to `stockwire channels`, and tells somebody else of it too."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from followers.marketplaces.terms import Notice
from tests.followers.marketplaces.relay import Relay

Heard = Callable[[str, Notice], Awaitable[None]]


class Tap(Relay):
    """``target``: of the channels' API. ``heard``: is told of each channel's notice that was handed on."""

    def __init__(self, target: str, heard: Heard) -> None:
        super().__init__(target)
        self._heard = heard

    def url(self, channel: str) -> str:
        """Where its notices go."""
        return f"{self.address}/{channel}"

    async def answer(self, request: web.Request) -> web.Response:
        channel = request.path.strip("/")
        answer = await self.pass_on(request, f"/v1/channels/{channel}/notices")
        if request.method == "POST" and answer.status < 300:
            headers = {name.lower(): value for name, value in request.headers.items()}
            await self._heard(channel, Notice(headers, await request.read()))
        return answer
