"""The admin port: metrics, what is wrong, health. On loopback unless set: it tells of everybody's stock."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from followers.operated import Operated
from server.http.health import HealthRoutes
from server.http.json import Json
from server.http.problems import Problems
from server.metrics import create_registry, exposition
from server.version import VERSION


def create_admin_app(
    check: str,
    operated: Sequence[Operated],
    collector: Collector,
    why_not_ready: Callable[[], Awaitable[str | None]],
) -> Starlette:
    """``check``: what `stockwire doctor` calls what is wrong here. ``why_not_ready``: None when the process works."""
    registry = create_registry(collector)

    async def metrics(request: Request) -> Response:
        await asyncio.gather(*(one.refresh() for one in operated))
        return exposition(registry, request)

    async def troubles(_: Request) -> Response:
        found = await asyncio.gather(*(one.troubles() for one in operated))
        said = [{"detail": one.detail, "fix": one.fix} for some in found for one in some]
        return Json({"check": check, "troubles": said})

    app = Starlette(
        routes=[
            Route("/metrics", metrics, methods=["GET"]),
            Route("/troubles", troubles, methods=["GET"]),
            *HealthRoutes(why_not_ready, {"version": VERSION}).routes(),
        ]
    )
    app.router.redirect_slashes = False
    Problems().install(app)  # those of the API are counted, not these
    return app
