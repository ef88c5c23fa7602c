"""A connection whose transport was aborted is not written to any more."""

import asyncio
import socket

import uvloop
from websockets.asyncio.server import Server, ServerConnection
from websockets.protocol import State

from hub.endings import Ending
from hub.errors import Ended
from hub.limits import Limits
from hub.stream.connection import Connection
from hub.stream.stream_protocol import StreamProtocol


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
