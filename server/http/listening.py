"""The sockets that a process listens on, and where clients find them."""

import errno
import socket

from server.settings.environment import SettingsError

BACKLOG = 4_096
"""How many connections the kernel holds ready for a process that has not accepted them yet, of every port. With
asyncio's default of 100, clients beyond it get no answer and ask again after 1, 3 and 7 s: 5,000 at once took ten times
as long. More is cut off by Linux (``net.core.somaxconn`` is 4,096)."""


def bind(
    host: str, port: int, host_setting: str, port_setting: str, *, shared: bool = False, listen: bool = True
) -> socket.socket:
    """A TCP socket; on ``::`` one for IPv4 as well. ``shared``: with SO_REUSEPORT, for several workers.

    Raises SettingsError with the setting to change: ``port_setting``, or ``host_setting`` if the address is at fault.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        if listen:
            listener.listen(BACKLOG)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be one, such as "a..b"
        listener.close()
        reason = getattr(error, "strerror", None) or error
        taken = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES)
        fix = f"{port_setting} to a free port" if taken else f"{host_setting} to an address of this machine"
        raise SettingsError(f"cannot listen on {host}:{port} ({reason}): set {fix}") from None
    return listener


def url_of(scheme: str, listener: socket.socket, tls: object | None) -> str:
    """``scheme``: http or ws, which ``tls`` makes https or wss."""
    host, port = listener.getsockname()[:2]
    secure = "" if tls is None else "s"
    return f"{scheme}{secure}://[{host}]:{port}" if ":" in host else f"{scheme}{secure}://{host}:{port}"
