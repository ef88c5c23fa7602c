"""The admin port: metrics, health, drain. On loopback unless set: whoever reaches it may drain the hub."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def create_app(
    registry: CollectorRegistry, why_not_ready: Callable[[], str | None], drain: Callable[[], None]
) -> Starlette:
    """``why_not_ready``: None when requests should be sent here. ``drain``: returns at once."""

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=METRICS_TYPE)

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        reason = why_not_ready()
        return PlainTextResponse("ready\n" if reason is None else f"{reason}\n", 200 if reason is None else 503)

    async def start_drain(_: Request) -> Response:
        drain()
        return PlainTextResponse("draining\n", 202)

    return Starlette(
        routes=[
            Route("/metrics", metrics, methods=["GET"]),
            Route("/healthz", healthy, methods=["GET"]),
            Route("/readyz", ready, methods=["GET"]),
            Route("/drain", start_drain, methods=["POST"]),
        ]
    )
