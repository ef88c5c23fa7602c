"""``/healthz``: the process answers; ``/readyz``: it takes requests, or why it does not."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.http.json import Json
from server.problems import Unavailable


class HealthRoutes:
    """``why_not_ready``: None when requests are taken, else the reason. ``versions``: what this process is."""

    def __init__(self, why_not_ready: Callable[[], Awaitable[str | None]], versions: Mapping[str, str]) -> None:
        self._why_not_ready = why_not_ready
        self._versions = versions

    def routes(self) -> list[Route]:
        return [Route("/healthz", self.alive, methods=["GET"]), Route("/readyz", self.ready, methods=["GET"])]

    def everything_else(self) -> Route:
        """For a process that serves nothing yet."""
        return Route("/{path:path}", self.refuse, methods=["GET", "POST", "PUT", "DELETE"])

    async def alive(self, _request: Request) -> Response:
        return Json({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        if reason := await self._why_not_ready():
            raise Unavailable(reason)
        return Json({"status": "ready", **self._versions})

    async def refuse(self, _request: Request) -> Response:
        raise Unavailable(await self._why_not_ready() or "this process is starting")
