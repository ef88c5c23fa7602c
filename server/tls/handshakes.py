"""TLS handshakes: a bounded number under way, before anything of ours exists for the connection.

A listener with a context of its own would take any number, each with the memory that OpenSSL wants.
"""

import asyncio
from collections.abc import Callable, Sequence
from ssl import SSLContext
from typing import Any

from server.tls.certificate import HANDSHAKE_S, SHUTDOWN_S, Tls

UNDER_WAY_MAX = 2_000
"""Of one port. When there are more, the oldest handshake gives way. So a client that opens silent connections keeps out
only handshakes that take longer than it takes to open this many connections; an honest one takes two round trips."""


class Handshakes:
    """Those of one port; without ``tls`` there are none. ``outcomes``: of those that ended, since start."""

    def __init__(self, tls: Tls | None, under_way_max: int = UNDER_WAY_MAX) -> None:
        self.tls = tls
        self.outcomes = {"done": 0, "failed": 0, "gave_way": 0}
        self._under_way_max = under_way_max
        self._under_way: dict[_Handshake, None] = {}

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def before(self, make: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        """The protocol of a connection that was just accepted: after the handshake that of ``make`` takes its place."""
        return make() if self.tls is None else _Handshake(self, self.tls.context, make)

    def begin(self, handshake: "_Handshake") -> None:
        self._under_way[handshake] = None
        if len(self._under_way) > self._under_way_max:
            longest = next(iter(self._under_way))
            self.end(longest, "gave_way")
            longest.abort()

    def end(self, handshake: "_Handshake", outcome: str) -> None:
        """Safe to call twice: the first outcome counts."""
        if handshake in self._under_way:
            del self._under_way[handshake]
            self.outcomes[outcome] += 1


def outcomes_of(ports: Sequence[Handshakes]) -> dict[str, int]:
    """Of all ports of a process together."""
    counted = [port.outcomes for port in ports]
    return {outcome: sum(one[outcome] for one in counted) for outcome in counted[0]}


class _Handshake(asyncio.Protocol):
    """Ends within HANDSHAKE_S, with the connection handed over or closed."""

    def __init__(self, handshakes: Handshakes, context: SSLContext, make: Callable[[], asyncio.Protocol]) -> None:
        self._handshakes = handshakes
        self._context = context
        self._make = make
        self._before_tls = b""
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvloop's is none
        transport.pause_reading()  # what comes now is for TLS; uvloop reads all the same
        self._transport = transport
        self._handshakes.begin(self)
        loop = asyncio.get_running_loop()
        # Bytes may come before TLS stands. In which turn of the loop each step runs:
        #   1  connection_made   schedules _shake_hands and, behind it, call_soon(_catch_up)
        #   2  _shake_hands      start_tls puts TLS in our place, and schedules TLS's own connection_made
        #      call_soon         schedules _catch_up, behind that
        #   3  connection_made   of TLS: it can take bytes from now on
        #      _catch_up         hands it those of turns 1 and 2, before any that arrive later
        self._shaking = loop.create_task(self._shake_hands())
        loop.call_soon(loop.call_soon, self._catch_up)

    def data_received(self, data: bytes) -> None:
        """At first bytes for TLS, before it stands; then decrypted ones, which may come as the handshake ends."""
        if self._transport.get_protocol() is self:
            self._before_tls += data
        else:
            self._early.append(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._shaking.cancel()
        self._handshakes.end(self, "failed")

    def abort(self) -> None:
        self._transport.abort()

    def _catch_up(self) -> None:
        """Hand to TLS the bytes that came before it could take any."""
        tls: Any = self._transport.get_protocol()  # a buffered protocol, which uvloop's does not call itself
        data = b"" if tls is self else self._before_tls
        while data and not self._transport.is_closing():
            buffer = tls.get_buffer(len(data))
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            tls.buffer_updated(size)
            data = data[size:]

    async def _shake_hands(self) -> None:
        if self._transport.is_closing():  # TLS would be begun, and kept until its time is over
            return
        try:
            encrypted = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                self._context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=SHUTDOWN_S,
            )
        except OSError:  # ssl.SSLError is one, and what the timeout raises
            self._transport.abort()
            self._handshakes.end(self, "failed")
            return
        if encrypted is None or encrypted.is_closing():
            self._handshakes.end(self, "failed")
            return
        self._handshakes.end(self, "done")
        self._hand_over(encrypted)

    def _hand_over(self, encrypted: asyncio.Transport) -> None:
        """``connection_made`` may put another protocol in its place."""
        try:
            made = self._make()
            encrypted.set_protocol(made)
            made.connection_made(encrypted)
            for data in self._early:
                taker = encrypted.get_protocol()
                if not encrypted.is_closing() and isinstance(taker, asyncio.Protocol):
                    taker.data_received(data)
        except BaseException:
            encrypted.abort()
            raise
