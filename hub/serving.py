"""uvicorn, as the hub runs it for its read and admin ports: own sockets, bounded connections, no signal handlers."""

import contextlib
import errno
import socket
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp

from hub.http_connection import BoundedConnection
from wire.environment import SettingsError

BACKLOG = 4_096
GRACE_S = 3
KEEP_ALIVE_S = 75  # longer than clients and proxies keep an idle connection, so that they close first


class Server(uvicorn.Server):
    """Does not touch signal handlers: uvicorn would raise SIGTERM again at its end and cut a drain short."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    def stop(self) -> None:
        """``serve`` ends when the requests at hand are answered, at most ``GRACE_S`` later. Safe twice."""
        self.should_exit = True


def create_server(app: ASGIApp) -> Server:
    config = uvicorn.Config(
        app,
        loop="none",
        http=BoundedConnection,
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
    return Server(config)


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


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if listener.family == socket.AF_INET6 else f"{host}:{port}"
