"""The admin port: metrics, health, drain, undrain. On loopback unless set: whoever reaches it may drain the hub."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from server.http.health import HealthRoutes
from server.http.problems import Problems
from server.metrics import exposition
from server.problems import Unavailable
from server.version import VERSION


def create_app(
    registry: CollectorRegistry,
    why_not_ready: Callable[[], str | None],
    drain: Callable[[], None],
    undrain: Callable[[], bool],
) -> Starlette:
    """``why_not_ready``: None when requests should be sent here. ``drain`` and ``undrain`` return at once; ``undrain``
    false: the hub is being stopped."""

    async def metrics(_: Request) -> Response:
        return exposition(registry)

    async def not_ready() -> str | None:
        return why_not_ready()

    async def start_drain(_: Request) -> Response:
        drain()
        return PlainTextResponse("draining\n", 202)

    async def end_drain(_: Request) -> Response:
        if not undrain():
            raise Unavailable("this hub is being stopped")
        return PlainTextResponse("taking clients\n", 202)

    app = Starlette(
        routes=[
            Route("/metrics", metrics, methods=["GET"]),
            *HealthRoutes(not_ready, {"version": VERSION}).routes(),
            Route("/drain", start_drain, methods=["POST"]),
            Route("/undrain", end_drain, methods=["POST"]),
        ]
    )
    app.router.redirect_slashes = False
    Problems().install(app)  # those of the read port are counted, not these
    return app
