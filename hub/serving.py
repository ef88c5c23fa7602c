"""uvicorn, as the hub runs it for its read and admin ports: own sockets, bounded connections, no signal handlers."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Generator
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from hub.http_connection import BoundedConnection
from wire.environment import SettingsError
from wire.tls import Tls

BACKLOG = 4_096
GRACE_S = 3
KEEP_ALIVE_S = 75  # longer than clients and proxies keep an idle connection, so that they close first


class Server(uvicorn.Server):
    """With TLS or without. Leaves signals alone: uvicorn would raise SIGTERM again at its end and cut a drain short."""

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
        """``serve`` ends when the requests at hand are answered, at most ``GRACE_S`` later. Safe twice."""
        self.should_exit = True


def create_server(app: ASGIApp, connections_max: int, tls: Tls | None = None) -> Server:
    config = uvicorn.Config(
        app,
        loop="none",
        http=partial(BoundedConnection, connections_max=connections_max),  # type: ignore[arg-type]  # as good as a class
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


def bind(host: str, port: int, setting: str, *, shared: bool = False, listen: bool = True) -> socket.socket:
    """A TCP socket. ``shared``: with SO_REUSEPORT, for several workers.

    Raises SettingsError naming ``setting`` (..._PORT), or the HOST beside it if the address is at fault.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind((host, port))
        if listen:
            found.listen(BACKLOG)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be one, such as "a..b"
        found.close()
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"cannot listen on {host}:{port} ({reason}): set {_fix(error, setting)}") from None
    return found


def _fix(error: OSError | UnicodeError, setting: str) -> str:
    if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
        return f"{setting} to a free port"
    host = "STOCKWIRE_HUB_ADMIN_HOST" if "_ADMIN_" in setting else "STOCKWIRE_HUB_HOST"
    return f"{host} to an address of this machine"


def bound_send_buffer(listener: socket.socket, bytes_: int) -> None:
    """Inherited by every connection: with the default the kernel hides megabytes for each client that is stuck."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, bytes_)


def url_of(scheme: str, listener: socket.socket, tls: object | None) -> str:
    """``scheme``: http or ws, which ``tls`` makes https or wss."""
    host, port = listener.getsockname()[:2]
    secure = "" if tls is None else "s"
    return f"{scheme}{secure}://[{host}]:{port}" if ":" in host else f"{scheme}{secure}://{host}:{port}"
