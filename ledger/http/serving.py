"""The HTTP servers of a ledger, and an app that can be exchanged while it serves."""

from collections.abc import Callable
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from ledger.access.hub_callers import HubCallers
from ledger.http.connection import LedgerConnection
from ledger.http.ordinary import OrdinaryRequests
from ledger.limits import CONNECTIONS_MAX
from server.http.connection_table import ConnectionTable
from server.http.server import HttpServer, create_http_server
from server.tls.handshakes import Handshakes

GRACE_S = 10
"""After SIGTERM: for requests that were taken. Commits have their own deadline, which is not longer."""


class Gate:
    """An ASGI app that can be exchanged while it serves, and what answers some requests in its stead."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.ordinary: OrdinaryRequests | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def create_server(
    app: ASGIApp,
    table: ConnectionTable | None = None,
    hub_callers: HubCallers | None = None,
    handshakes: Handshakes | None = None,
    ordinary: Callable[[], OrdinaryRequests | None] = lambda: None,
) -> HttpServer:
    """``table``: of its connections. ``hub_callers``: whose connections do not make room for others.

    ``ordinary``: what answers some requests without ``app``.
    """
    connection = partial(
        LedgerConnection,
        table=table or ConnectionTable(CONNECTIONS_MAX),
        hub_callers=hub_callers or HubCallers(),
        ordinary=ordinary,
    )
    return create_http_server(app, connection, GRACE_S, handshakes or Handshakes(None))
