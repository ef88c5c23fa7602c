"""uvicorn, as the ledger runs it: its own sockets, bounded connections, and signals left to the process."""

import asyncio
import contextlib
import errno
import functools
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from ledger.connection_table import CONNECTIONS_MAX, ConnectionTable
from ledger.connections import BoundedConnection
from ledger.hub_callers import HubCallers
from wire.environment import SettingsError
from wire.tls import Tls

BACKLOG = 2048
GRACE_S = 10
"""After SIGTERM: for requests that were taken. Commits have their own deadline, which is not longer."""
KEEP_ALIVE_S = 75
"""Longer than clients and proxies keep an idle connection: whoever closes first should not be the server, or a request
that is just being sent is lost."""


class Server(uvicorn.Server):
    """With TLS or without. Leaves signals alone: uvicorn would raise SIGTERM again at its end and cut that short."""

    def __init__(self, config: uvicorn.Config, tls: Tls | None) -> None:
        super().__init__(config)
        self._tls = tls

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, whose handshakes may take a minute."""

        def connection(_loop: asyncio.AbstractEventLoop | None = None) -> asyncio.Protocol:
            kind: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
            return kind(config=self.config, server_state=self.server_state, app_state={}, _loop=_loop)

        options = {} if self._tls is None else self._tls.options
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(connection, sock=listener, backlog=BACKLOG, **options)
            for listener in sockets or ()
        ]
        self.started = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    def stop(self) -> None:
        """Take no more connections and let ``serve`` end when the requests at hand are answered. Safe twice."""
        self.should_exit = True


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
    tls: Tls | None = None,
) -> Server:
    """``table``: of its connections. ``hub_callers``: whose connections do not make room for others."""
    connection = functools.partial(
        BoundedConnection,
        table=table or ConnectionTable(CONNECTIONS_MAX),
        hub_callers=hub_callers or HubCallers(),
    )
    config = uvicorn.Config(
        app,
        loop="none",
        http=connection,  # type: ignore[arg-type]  # called to make a connection, and nothing else
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    return Server(config, tls)


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
