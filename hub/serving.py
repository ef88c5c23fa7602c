"""The ports of a hub: its HTTP servers, and sockets that several workers may share."""

import errno
import socket
from functools import partial

from starlette.types import ASGIApp

from hub.http_connection import HubConnection
from server.http.backlog import BACKLOG
from server.http.server import HttpServer, create_http_server
from server.settings.environment import SettingsError
from server.tls.handshakes import Handshakes

GRACE_S = 3


def create_server(app: ASGIApp, connections_max: int, handshakes: Handshakes | None = None) -> HttpServer:
    connection = partial(HubConnection, connections_max=connections_max)
    return create_http_server(app, connection, GRACE_S, handshakes or Handshakes(None))


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
