"""Requests are counted under a route of ours and one of five outcomes, whatever is asked for and answered."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from server.http.request_times import OUTCOMES, RequestTimes, Timed
from server.http.route_templates import NO_ROUTE, RouteTemplates

STATUSES = {
    "ok": (200, 201, 202, 204, 304),
    "refused": (409, 422),
    "rejected": (400, 401, 403, 404, 405, 413, 421),
    "limited": (429,),
    "failed": (500, 501, 503),
}


def counted(times: RequestTimes) -> dict[tuple[str, ...], int]:
    return {labels: total for labels, one in times.histograms().items() if (total := sum(one.counts))}


def served(times: RequestTimes, answer: Callable[[Request], Awaitable[Response]]) -> httpx.AsyncClient:
    routes = [
        Route("/v1/levels", answer, methods=["GET"]),
        Route("/v1/levels/query", answer, methods=["POST"]),
        Route("/v1/levels/{location}/{sku}", answer, methods=["GET", "PUT"]),
        Route("/.well-known/jwks.json", answer, methods=["GET"]),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Timed, times, RouteTemplates(routes))])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://here")


async def nothing(_: Request) -> Response:
    return Response()


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/v1/levels", ("GET", "/v1/levels")),
        ("HEAD", "/v1/levels", ("HEAD", "/v1/levels")),
        ("POST", "/v1/levels/query", ("POST", "/v1/levels/query")),
        ("PUT", "/v1/levels/berlin/A", ("PUT", "/v1/levels/{location}/{sku}")),
        ("GET", "/v1/levels/%C3%A4/query", ("GET", "/v1/levels/{location}/{sku}")),
        ("GET", "/.well-known/jwks.json", ("GET", "/.well-known/jwks.json")),
        ("GET", "/xwell-known/jwks.json", NO_ROUTE),
        ("GET", "/v1/levels/berlin", NO_ROUTE),
        ("GET", "/v1/levels/berlin/A/B", NO_ROUTE),
        ("POST", "/v1/levels", NO_ROUTE),
        ("BREW", "/v1/levels", NO_ROUTE),
        ("GET", "/", NO_ROUTE),
    ],
)
async def test_a_route_is_named_by_its_template_and_what_is_none_is_other(
    method: str, path: str, route: tuple[str, str]
) -> None:
    times = RequestTimes()
    async with served(times, nothing) as http:
        answer = await http.request(method, path)
    assert answer.is_success == (route != NO_ROUTE)
    assert counted(times) == {(*route, "ok" if route != NO_ROUTE else "rejected"): 1}


async def test_every_status_has_one_outcome() -> None:
    async def answer(request: Request) -> Response:
        return Response(status_code=int(request.query_params["status"]))

    for outcome, statuses in STATUSES.items():
        times = RequestTimes()
        async with served(times, answer) as http:
            for status in statuses:
                await http.get("/v1/levels", params={"status": status})
        assert counted(times) == {("GET", "/v1/levels", outcome): len(statuses)}
    assert set(STATUSES) == set(OUTCOMES)


async def test_whatever_is_sent_labels_stay_few() -> None:
    times = RequestTimes()
    async with served(times, nothing) as http:
        for number in range(500):
            await http.request(("GET", "PUT", "DELETE", f"M{number}")[number % 4], f"/v1/levels/l{number}/s{number}")
            await http.get(f"/{number}")
    labels = set(times.histograms())
    assert {labels_[:2] for labels_ in labels} == {
        NO_ROUTE,
        ("GET", "/v1/levels/{location}/{sku}"),
        ("PUT", "/v1/levels/{location}/{sku}"),
    }
    assert len(labels) == 3 * len(OUTCOMES)


async def test_what_fails_before_its_answer_begins_has_failed_and_what_fails_behind_is_counted_once() -> None:
    async def broken(_: Request) -> Response:
        raise LookupError

    class HalfSent(Response):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise LookupError

    async def half(_: Request) -> Response:
        return HalfSent()

    for answer, outcome in ((broken, "failed"), (half, "ok")):
        times = RequestTimes()
        async with served(times, answer) as http:
            await http.get("/v1/levels")
        assert counted(times) == {("GET", "/v1/levels", outcome): 1}
