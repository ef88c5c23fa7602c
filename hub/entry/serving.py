"""The HTTP servers of a hub's read and admin ports, and what its sockets may hold back."""

import socket
from collections.abc import Callable
from functools import partial

from starlette.types import ASGIApp

from hub.entry.http_connection import HubConnection
from server.http.connection_table import ConnectionTable
from server.http.server import HttpServer, create_http_server
from server.tls.handshakes import Handshakes

GRACE_S = 3


def create_server(
    app: ASGIApp,
    table: ConnectionTable,
    handshakes: Handshakes | None = None,
    room: Callable[[], bool] = lambda: False,
) -> HttpServer:
    """``table``: of its connections. ``room``: as for ``ConnectionTable.admit``."""
    connection = partial(HubConnection, table=table, room=room)
    return create_http_server(app, connection, GRACE_S, handshakes or Handshakes(None))


def bound_send_buffer(listener: socket.socket, bytes_: int) -> None:
    """Inherited by every connection: with the default the kernel hides megabytes for each client that is stuck."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, bytes_)
