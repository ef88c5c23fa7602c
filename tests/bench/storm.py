"""Many clients that all come at the same moment, in one cheap process: raw sockets, one selector."""

import errno
import selectors
import socket
import time
from dataclasses import dataclass
from types import TracebackType

DEADLINE_S = 120.0


@dataclass(slots=True)
class _Coming:
    socket: socket.socket
    sent: bool = False
    heard: bytes = b""


class Storm:
    """``size`` connections to ``address``: each sends ``opening`` as soon as it is through, and has come when it has
    heard ``mark``. They stay until the end of the ``with`` block.

    Blocking: runs in the bench's own process while the server under test runs in another.
    """

    def __init__(self, address: tuple[str, int], size: int, opening: bytes, mark: bytes) -> None:
        self._address = address
        self._size = size
        self._opening = opening
        self._mark = mark
        self._sockets: list[socket.socket] = []

    def come(self) -> float:
        """Seconds until the last has come. Raises ConnectionError if one is turned away, TimeoutError."""
        started, left = time.perf_counter(), self._size
        with selectors.DefaultSelector() as selector:
            for _ in range(self._size):
                self._knock(selector)
            while left:
                for key, _ in selector.select(max(0.0, started + DEADLINE_S - time.perf_counter())):
                    left -= self._go_on(selector, key.data)
                if time.perf_counter() > started + DEADLINE_S:
                    raise TimeoutError(f"{left} of {self._size} had not come after {DEADLINE_S} s")
        return time.perf_counter() - started

    def turned_away(self) -> None:
        """All come and are turned away, one after the other. Raises ConnectionError if more are let in than one each
        second, which is the least that a hub can be set to.
        """
        started, let_in = time.perf_counter(), 0
        for _ in range(self._size):
            with socket.create_connection(self._address, timeout=DEADLINE_S) as one:
                one.sendall(self._opening)
                let_in += one.recv(65_536).startswith(b"HTTP/1.1 101")
        if let_in > 1 + time.perf_counter() - started:
            raise ConnectionError(f"{let_in} were let in")

    def one_by_one(self) -> None:
        """All come, one after the other, and stay."""
        for _ in range(self._size):
            one = socket.create_connection(self._address, timeout=DEADLINE_S)
            self._sockets.append(one)
            one.sendall(self._opening)
            coming = _Coming(one, sent=True)
            while not self._has_come(coming):
                pass

    def __enter__(self) -> "Storm":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._sockets:
            one.close()

    def _knock(self, selector: selectors.BaseSelector) -> None:
        one = socket.socket()
        one.setblocking(False)
        self._sockets.append(one)
        if (code := one.connect_ex(self._address)) not in (0, errno.EINPROGRESS):
            raise OSError(code, "connect")
        selector.register(one, selectors.EVENT_WRITE, _Coming(one))

    def _go_on(self, selector: selectors.BaseSelector, one: _Coming) -> bool:
        """Whether it has come with this."""
        if not one.sent:
            one.socket.sendall(self._opening)
            one.sent = True
            selector.modify(one.socket, selectors.EVENT_READ, one)
            return False
        if not self._has_come(one):
            return False
        selector.unregister(one.socket)
        return True

    def _has_come(self, one: _Coming) -> bool:
        piece = one.socket.recv(65_536)
        if not piece:
            raise ConnectionError(f"turned away: {one.heard[-300:]!r}")
        one.heard = one.heard[-300:] + piece
        return self._mark in one.heard
