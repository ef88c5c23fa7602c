"""The last message of a stream of RabbitMQ, and the checkpoint that it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rstream.exceptions import AccessRefused

from followers.brokers.rabbitmq_streams import StreamConnection
from followers.relay.message import Checkpoint
from followers.relay.sink import SinkRefused
from followers.relay.standing import attributes_in, checkpoint_of
from wire.bindings import AMQP_PREFIX

RIGHTS_FIX = "docs/how-to/rabbitmq.md has the rabbitmqctl line of its rights"


class Last(NamedTuple):
    """``properties``: of the application."""

    checkpoint: Checkpoint
    properties: dict[str, str]


async def last_of(connection: StreamConnection, stream: str) -> Last | None:
    """None if the stream is empty. Raises ``StreamError``; SinkRefused if no relay wrote its last message."""
    with needing("read", stream):
        found = await connection.last_message(stream)
    if found is None:
        return None
    offset, message = found
    given = message.application_properties or {}
    properties = {_text(name): _text(value) for name, value in given.items() if isinstance(value, bytes | str)}
    attributes = {
        name.removeprefix(AMQP_PREFIX): value for name, value in properties.items() if name.startswith(AMQP_PREFIX)
    }
    checkpoint = checkpoint_of(attributes or attributes_in(bytes(message.body or b"")), offset)
    if checkpoint is None:
        raise SinkRefused(
            f"the last message of the stream {stream} is none of a relay: let nobody else write there, and delete the "
            "stream or set another STOCKWIRE_RELAY_PREFIX"
        )
    return Last(checkpoint, properties)


@contextmanager
def needing(right: str, stream: str) -> Iterator[None]:
    """Around what a user may be refused: the broker of streams does not say which right it lacks."""
    try:
        yield
    except AccessRefused as error:
        raise SinkRefused(f"RabbitMQ refuses: the user may not {right} the stream {stream}: {RIGHTS_FIX}") from error


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
