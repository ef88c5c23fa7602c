"""JetStream's streams of all shards, each by a consumer that ends with us."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from urllib.parse import unquote

import nats.errors
from nats.aio.msg import Msg
from nats.js.api import DeliverPolicy

from followers.brokers.broker import Broker
from followers.brokers.nats_client import NatsConnection
from followers.listener.printed import line_of
from wire.bindings import NATS_PREFIX

WAITING_MAX = 1_000
"""Messages that are not printed yet; more wait at the server."""
LOOK_EVERY_S = 1.0
"""Whether the connection is still there."""


async def lines(broker: Broker, prefix: str, *, from_start: bool) -> AsyncGenerator[bytes, None]:
    """Until the connection ends. Raises ConnectionError, LookupError if there is no such stream."""
    waiting: asyncio.Queue[Msg] = asyncio.Queue(WAITING_MAX)
    try:
        async with NatsConnection(broker, "stockwire-listen") as connection:
            jetstream = connection.jetstream
            subject = f"{prefix}.>"
            streams = await connection.within(jetstream.streams_info())
            ours = [one.config.name for one in streams if (one.config.subjects or [""])[0].startswith(f"{prefix}.")]
            if not ours:
                raise LookupError(f"no stream of {subject}")
            policy = DeliverPolicy.ALL if from_start else DeliverPolicy.NEW
            for name in ours:
                asked = jetstream.subscribe(
                    subject, stream=name, cb=waiting.put, ordered_consumer=True, deliver_policy=policy
                )
                await connection.within(asked)
            while connection.is_open:
                with suppress(TimeoutError):
                    message = await asyncio.wait_for(waiting.get(), LOOK_EVERY_S)
                    headers = {name: unquote(value) for name, value in (message.headers or {}).items()}
                    yield line_of(headers, NATS_PREFIX, message.data)
            raise ConnectionError("the connection ended")
    except (OSError, nats.errors.Error) as error:
        raise ConnectionError(str(error)) from error
