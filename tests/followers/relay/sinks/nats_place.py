"""A NATS as tests of its sink need it: what stands there, and what is in the way."""

import asyncio
from urllib.parse import unquote

import nats
import orjson
from nats.js.api import StreamConfig

from followers.brokers.address import address_of
from followers.brokers.broker import Broker as BrokerSettings
from followers.relay.sinks.nats import NatsSink
from stockwire.streams import CloudEvent
from tests.followers.relay.sinks.conformance import Told
from tests.harness.brokers.nats_server import NatsServer

AT_ONCE = 50
"""Messages that are asked for together."""


class NatsPlace:
    large_bytes = 2**20
    takes_back = False

    def __init__(self, broker: NatsServer, prefix: str) -> None:
        self.broker = broker
        self._prefix = prefix

    def sink(self, *, structured: bool = False, user: str = "", password: str = "") -> NatsSink:
        address = address_of(self.broker.url, {})
        settings = BrokerSettings(address, user, password, "", None, None, None)
        return NatsSink(settings, self._prefix, structured=structured)

    async def read(self, shard: int) -> list[Told]:
        client = await nats.connect(self.broker.url, allow_reconnect=False)
        try:
            stream = client.jetstream()
            info = await stream.stream_info(f"{self._prefix}-{shard}")
            sequences = range(info.state.first_seq or 1, info.state.last_seq + 1)
            messages = [
                message
                for at in range(0, len(sequences), AT_ONCE)
                for message in await asyncio.gather(
                    *(stream.get_msg(f"{self._prefix}-{shard}", one) for one in sequences[at : at + AT_ONCE])
                )
            ]
        finally:
            await client.close()
        return [told(message.headers or {}, message.data or b"") for message in messages]

    async def settle(self) -> None:
        """It has made what it said."""

    async def spoil(self) -> str:
        await self.make(0, StreamConfig(subjects=[f"{self._prefix}.0.>"], max_age=3600))
        return "drops messages by age .* nats stream edit .* --max-age=0"

    async def make(self, shard: int, config: StreamConfig) -> None:
        client = await nats.connect(self.broker.url, allow_reconnect=False)
        try:
            await client.jetstream().add_stream(
                config, name=f"{self._prefix}-{shard}", storage=config.storage or "file"
            )
        finally:
            await client.close()


def told(headers: dict[str, str], data: bytes) -> Told:
    attributes = {name.removeprefix("ce-"): unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    assert CloudEvent.of_nats(headers, data) == CloudEvent(attributes, orjson.loads(data)), "the client reads it so"
    return Told(attributes, data)
