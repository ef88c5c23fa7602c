"""The admin port: metrics, health, drain, undrain. On loopback unless set: whoever reaches it may drain the hub."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from server.http.health import HealthRoutes
from server.http.json import Json
from server.http.problems import Problems
from server.http.query import Query
from server.metrics import exposition
from server.problems import Unavailable
from server.version import VERSION


@dataclass(frozen=True, slots=True)
class Acts:
    """What can be done with a hub; all return at once. ``undrain`` false: the hub is being stopped.

    ``shed`` takes a share (above 0, at most 1) and returns how many clients it moves. Raises Unavailable.
    """

    drain: Callable[[], None]
    undrain: Callable[[], bool]
    shed: Callable[[float], int]


def create_app(registry: CollectorRegistry, why_not_ready: Callable[[], str | None], acts: Acts) -> Starlette:
    """``why_not_ready``: None when requests should be sent here."""

    async def metrics(request: Request) -> Response:
        return exposition(registry, request)

    async def not_ready() -> str | None:
        return why_not_ready()

    async def drain(request: Request) -> Response:
        share = Query(request, "share").share("share")  # misspelt it is refused: it must not drain the whole hub
        if share is not None:
            return Json({"moving": acts.shed(share)}, 202)
        acts.drain()
        return PlainTextResponse("draining\n", 202)

    async def undrain(_: Request) -> Response:
        if not acts.undrain():
            raise Unavailable("this hub is being stopped")
        return PlainTextResponse("taking clients\n", 202)

    app = Starlette(
        routes=[
            Route("/metrics", metrics, methods=["GET"]),
            *HealthRoutes(not_ready, {"version": VERSION}).routes(),
            Route("/drain", drain, methods=["POST"]),
            Route("/undrain", undrain, methods=["POST"]),
        ]
    )
    app.router.redirect_slashes = False
    Problems().install(app)  # those of the read port are counted, not these
    return app
