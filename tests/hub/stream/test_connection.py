"""What a connection keeps once it stands; and one whose transport was aborted is not written to any more."""

import asyncio
import socket
import weakref

import uvloop
from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from hub.endings import Ending
from hub.errors import Ended
from hub.limits import Limits
from hub.stream.connection import Connection
from hub.stream.stream_protocol import StreamProtocol
from tests.harness.raw_socket import PING, raw_frame

UPGRADE = (
    b"GET /v1/stream HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def test_the_request_of_a_handshake_is_let_go_with_its_answer() -> None:
    """It was as large as all that a silent connection needs. What came behind it is taken all the same."""
    protocol = StreamProtocol(None, Limits(), lambda: 0.0, Nobody())
    protocol.receive_data(UPGRADE + raw_frame(PING, b"early"))
    [request] = protocol.events_received()
    assert isinstance(request, Request)
    kept = weakref.ref(request)
    protocol.send_response(protocol.accept(request))
    del request
    assert kept() is None
    [ping] = protocol.events_received()
    assert isinstance(ping, Frame)
    assert ping.opcode is Opcode.PING
    answer, pong = protocol.data_to_send()
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert pong.endswith(b"early")


def test_nothing_is_written_to_a_transport_that_was_aborted() -> None:
    """uvloop raises where asyncio only warns, so it is asked itself."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_end_after_abort())


async def _end_after_abort() -> None:
    loop = asyncio.get_running_loop()
    failures: list[object] = []
    loop.set_exception_handler(lambda _, context: failures.append(context))
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    protocol = StreamProtocol(None, Limits(), loop.time, Nobody())
    server = Server(_never_listens, ServerConnection.wait_closed)
    transport, connection = await loop.create_connection(
        lambda: Connection(protocol, server, Limits(), Nobody()), sock=ours
    )
    with theirs:
        protocol.state = State.OPEN
        transport.abort()
        connection.end(Ended(Ending.NOT_READING, seconds=5))
        assert connection.pulse.closing_at is not None
        await connection.connection_lost_waiter
        protocol.writes.append(b"an answer that was on its way")
        connection.send_data()
        assert not failures
        assert not theirs.recv(1_000)


class Nobody:
    """A port that does nothing with what it is told."""

    def came(self, connection: Connection) -> None: ...

    def left(self, connection: Connection) -> None: ...

    def answered(self, status: int) -> None: ...

    def ended(self, code: int) -> None: ...

    def schedule_flush(self) -> None: ...


async def _never_listens() -> asyncio.Server:
    raise AssertionError("the connection is made by the test")
