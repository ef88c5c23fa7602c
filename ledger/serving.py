"""The ports of a ledger, and an app that can be exchanged while it serves."""

import errno
import socket
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from ledger.connection_table import ConnectionTable
from ledger.connections import LedgerConnection
from ledger.hub_callers import HubCallers
from ledger.limits import CONNECTIONS_MAX
from server.http.backlog import BACKLOG
from server.http.server import HttpServer, create_http_server
from server.settings.environment import SettingsError
from server.tls.certificate import Tls
from server.tls.handshakes import Handshakes

GRACE_S = 10
"""After SIGTERM: for requests that were taken. Commits have their own deadline, which is not longer."""


class Gate:
    """An ASGI app that can be exchanged while it serves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def create_server(
    app: ASGIApp,
    table: ConnectionTable | None = None,
    hub_callers: HubCallers | None = None,
    handshakes: Handshakes | None = None,
) -> HttpServer:
    """``table``: of its connections. ``hub_callers``: whose connections do not make room for others."""
    connection = partial(
        LedgerConnection,
        table=table or ConnectionTable(CONNECTIONS_MAX),
        hub_callers=hub_callers or HubCallers(),
    )
    return create_http_server(app, connection, GRACE_S, handshakes or Handshakes(None))


def listen(host: str, port: int, prefix: str) -> socket.socket:
    """A listening socket. ``prefix``: of the settings HOST and PORT, one of which SettingsError says to change."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be one, such as "a..b"
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"cannot listen on {host}:{port} ({reason}): set {_fix(error, prefix)}") from None


def _fix(error: OSError | UnicodeError, prefix: str) -> str:
    if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
        return f"{prefix}PORT to a free port"
    return f"{prefix}HOST to an address of this machine"


def url_of(listener: socket.socket, tls: Tls | None = None) -> str:
    host, port = listener.getsockname()[:2]
    scheme = "http" if tls is None else "https"
    return f"{scheme}://[{host}]:{port}" if listener.family == socket.AF_INET6 else f"{scheme}://{host}:{port}"
