"""uvicorn, as the hub runs it for its read and admin ports: own sockets, bounded connections, no signal handlers."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.refusal import Refusal
from wire.environment import SettingsError
from wire.tls import Tls

BACKLOG = 4_096
GRACE_S = 3
KEEP_ALIVE_S = 75  # longer than clients and proxies keep an idle connection, so that they close first
HEAD_S = 10.0
HEAD_BYTES_MAX = 16_384
HEADERS_MAX = 100
UNREAD_HEAD_BYTES_MAX = 65_536  # of what the parser has not handed over yet
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\n\r\n%s"
)
STALL_S = 5.0


class HeadTooLarge(Exception):
    """Raised in a callback of the parser, which ends the request."""


class BoundedConnection(HttpToolsProtocol):
    """Closes what sends its request's head slowly or endlessly, and aborts what does not read its answer.

    A connection over ``connections_max`` is not taken.

    uvicorn alone waits for both for ever, and keeps what they sent or did not read.
    """

    def __init__(self, *args: Any, connections_max: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections_max = connections_max
        self._head: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._headers = 0
        self._unread_head_bytes = 0
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        if len(self.connections) >= self._connections_max:
            refusal = Refusal()
            transport.set_protocol(refusal)
            refusal.connection_made(transport)
            return
        super().connection_made(transport)
        self._head = self.loop.call_later(HEAD_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head = _cancelled(self._head)
        self._stall = _cancelled(self._stall)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._head_bytes = self._headers = self._unread_head_bytes = 0
        if self._head is None:
            self._head = self.loop.call_later(HEAD_S, self.transport.close)
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers += 1
        self._count_head(len(name) + len(value) + len(b": \r\n"))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head = _cancelled(self._head)
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head is not None and not self.transport.is_closing():
            self._unread_head_bytes += len(data)
            if self._unread_head_bytes > UNREAD_HEAD_BYTES_MAX:
                self._head_bytes = self._unread_head_bytes
                self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """uvicorn's answer to what its parser does not take, our callbacks included."""
        if not self._is_head_too_large():
            super().send_400_response(msg)
            return
        text = b"A request has at most %d bytes and %d headers before its body\n" % (HEAD_BYTES_MAX, HEADERS_MAX)
        self.transport.write(TOO_LARGE % (len(text), text))
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall = self.loop.call_later(STALL_S, self.transport.abort)

    def resume_writing(self) -> None:
        self._stall = _cancelled(self._stall)
        super().resume_writing()

    def _count_head(self, bytes_: int) -> None:
        self._head_bytes += bytes_
        if self._is_head_too_large():
            raise HeadTooLarge

    def _is_head_too_large(self) -> bool:
        return self._head_bytes > HEAD_BYTES_MAX or self._headers > HEADERS_MAX


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


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """What stands in the timer's place from now on: nothing."""
    if timer is not None:
        timer.cancel()
    return None
