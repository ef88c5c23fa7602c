"""``python -m tests.bench.unmeasured_ledger``: a ledger that keeps no histogram, to set beside one that does."""

import sys

from starlette.types import Receive, Scope, Send

from ledger.__main__ import main
from server.histogram import Histogram
from server.http.request_times import RequestTimes, Timed
from server.http.route_templates import NO_ROUTE, RouteTemplates, Template


def nothing(*_: object) -> None:
    """What is left of it: the call, and the readings of the clock around it."""


def no_route(*_: object) -> Template:
    return NO_ROUTE


async def untimed(timed: Timed, scope: Scope, receive: Receive, send: Send) -> None:
    await timed._app(scope, receive, send)


LEFT_OUT = ((Histogram, "observe", nothing), (RequestTimes, "took", nothing), (RouteTemplates, "of", no_route))

if __name__ == "__main__":
    for owner, name, instead in (*LEFT_OUT, (Timed, "__call__", untimed)):
        setattr(owner, name, instead)
    sys.exit(main())
