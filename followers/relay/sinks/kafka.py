"""Kafka: a page of one shard is one transaction of ``<prefix>-<shard>``: events, levels, checkpoint.

Who begins anew with that transactional id is the only one who can write from then on, and what the one before left open
is aborted. Readers with ``isolation.level=read_committed`` see a page whole or not at all. For brokers without
transactions: an idempotent producer, and the checkpoint only when everything before it is kept.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from followers.brokers.broker import Broker
from followers.brokers.kafka_client import PORT, client_options
from followers.relay.message import Checkpoint
from followers.relay.sink import SinkError
from followers.relay.sinks.blocking import BlockingCalls
from followers.relay.sinks.kafka_checkpoints import Record
from followers.relay.sinks.kafka_errors import Reported
from followers.relay.sinks.kafka_reading import Reading
from followers.relay.sinks.kafka_tail import CLIENT, READ_S
from followers.relay.sinks.kafka_topics import MESSAGE_BYTES_MAX, REQUEST_S, prepared, topics_of
from followers.relay.sinks.kafka_writer import KafkaWriter, PlainWriter, Target

PREPARE_S = 7 * REQUEST_S
"""A look at all topics, three to make, their configuration, and some more."""
NEWEST_S = 5 * READ_S
"""Of checkpoints and, for whoever claims, of events: each a question, and reading until all is decided."""

Answer = TypeVar("Answer")


class KafkaSink:
    levels_apart = True
    window: int | None = None

    def __init__(self, broker: Broker, prefix: str, *, structured: bool, transactions: bool) -> None:
        self.repeats = not transactions
        self._broker = broker
        self._prefix = prefix
        self._structured = structured
        self._topics = topics_of(prefix)
        self._message_bytes_max = MESSAGE_BYTES_MAX
        needs = {KafkaError.TOPIC_AUTHORIZATION_FAILED: f"Describe of the topics {', '.join(self._topics)}"}
        self._reported = Reported(broker, needs)
        self._calls = BlockingCalls("Kafka")
        self._admin: AdminClient | None = None
        self._reading: Reading | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._calls.close(self._put_away)

    async def prepare(self, shards: int) -> None:
        self._message_bytes_max = await self._calls.call(PREPARE_S, self._prepare, shards)

    async def last(self, shard: int) -> Checkpoint | None:
        record = await self._newest(shard)
        return None if record is None else record.checkpoint

    @asynccontextmanager
    async def writer(self, shard: int) -> AsyncIterator[KafkaWriter]:
        target = Target(
            *(self._broker, self._prefix, self._topics, self._structured, self._message_bytes_max),
            self._newest,
            self._standing,
        )
        writer = PlainWriter(target, shard) if self.repeats else KafkaWriter(target, shard)
        try:
            yield writer
        finally:
            await writer.close()

    async def _newest(self, shard: int) -> Record | None:
        return await self._calls.call(NEWEST_S, self._read, lambda reading: reading.checkpoints.newest(shard))

    async def _standing(self, shard: int, claim: bytes) -> Checkpoint | None:
        return await self._calls.call(NEWEST_S, self._read, lambda reading: reading.standing(shard, claim))

    def _prepare(self, shards: int) -> int:
        if self._admin is None:
            options: dict[str, Any] = {**client_options(self._broker, CLIENT), "error_cb": self._reported}
            with self._files_read():
                self._admin = AdminClient(options)
        servers = ",".join(self._broker.address.servers(PORT))
        try:
            message_bytes_max = prepared(self._admin, self._reported, self._topics, shards, servers)
        except SinkError:
            self._admin = None  # the next one reads the files of certificates anew
            raise
        self._reported.forget()
        return message_bytes_max

    def _read(self, ask: Callable[[Reading], Answer]) -> Answer:
        if self._reading is None:
            with self._files_read():
                self._reading = Reading(self._broker, self._topics)
        try:
            return ask(self._reading)
        except SinkError:
            self._leave()
            raise

    @contextmanager
    def _files_read(self) -> Iterator[None]:
        """Around what makes a client, which reads the files of certificates as they are now."""
        try:
            yield
        except KafkaException as exception:
            raise self._reported.meaning_of(exception, "no client can be made") from exception

    def _put_away(self) -> None:
        self._admin = None
        self._leave()

    def _leave(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None
