"""One shard's producer, in a thread of its own: with transactions, or without where the broker has none."""

import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Kept

from followers.brokers.broker import Broker
from followers.brokers.kafka_client import client_options
from followers.relay.message import Batch, Checkpoint, Message
from followers.relay.sink import SinkAway, SinkError, Superseded, TooLarge
from followers.relay.sinks.blocking import BlockingCalls
from followers.relay.sinks.kafka_checkpoints import Record, claim_key
from followers.relay.sinks.kafka_errors import Reported
from followers.relay.sinks.kafka_told import Undecided
from followers.relay.sinks.kafka_topics import SIZE, Topics
from wire import envelope
from wire.bindings import KAFKA_STRUCTURED, kafka_common, kafka_headers

TRANSACTION_S = 15.0
"""Until the broker aborts what nobody commits, and readers go on behind it; and for all of a page to be kept."""
CLAIM_S = 20.0
"""For the broker to end what the one before left open."""
COMMIT_S = 10.0
SLICE_S = 1.0
"""Of a wait, after which it is looked at whether anybody still waits."""
AGAIN_S = 0.1
"""Until the broker is asked again that has not ended yet what the one before left open."""
CLOSE_S = 2.0
MORE_S = 15.0
"""Of deadlines around the thread, above those within it."""

LENGTHS = 4
"""Bytes of a header that say how long its name and value are, at most."""
NOT_CLAIMED, NOT_KEPT = "the shard cannot be claimed", "a page is not kept"

Newest = Callable[[int], Awaitable[Record | None]]
Standing = Callable[[int, bytes], Awaitable[Checkpoint | None]]


class Target(NamedTuple):
    """What the writers of a sink share. ``newest``: see ``Checkpoints``; ``standing``: see ``Reading``."""

    broker: Broker
    prefix: str
    topics: Topics
    structured: bool
    message_bytes_max: int
    newest: Newest
    standing: Standing


class KafkaWriter:
    """With transactions."""

    def __init__(self, target: Target, shard: int) -> None:
        self._target = target
        self._shard = shard
        self._key = str(shard).encode()
        self._name = secrets.token_hex(8)
        self._claim = self._name.encode()
        self._id = f"{target.prefix}-{shard}"
        self._reported = Reported(
            target.broker,
            {
                KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: f"Write of the transactional id {self._id}",
                KafkaError.TOPIC_AUTHORIZATION_FAILED: f"Write of the topics {', '.join(target.topics)}",
                KafkaError.CLUSTER_AUTHORIZATION_FAILED: "IdempotentWrite of the cluster",
            },
        )
        self._calls = BlockingCalls(f"Kafka, shard {shard}")
        self._producer: Producer | None = None

    async def claim(self, epoch: str) -> Checkpoint | None:
        """``epoch``: nothing here is named by it.

        A broker says that a page is committed before it can be read, and one that is killed right then ends that only
        a while after it has come back: what is read before lacks the page. So a record of our own is read as well,
        which cannot be seen before all that was written ahead of it. Or it forgets to end it in one topic or the other
        (decision 51): then a transaction is aborted there, and with it what stands open.
        """
        await self._calls.call(CLAIM_S + MORE_S, self._begin)
        await self._calls.call(TRANSACTION_S + COMMIT_S + MORE_S, self._mark)
        try:
            return await self._target.standing(self._shard, self._claim)
        except Undecided:
            await self._calls.call(TRANSACTION_S + COMMIT_S + MORE_S, self._sweep)
            return await self._target.standing(self._shard, self._claim)

    async def write(self, batch: Batch) -> None:
        await self._calls.call(TRANSACTION_S + COMMIT_S + MORE_S, self._write, batch)

    async def rest(self) -> None:
        """A broker that went away after it had said that a page is kept may have forgotten to show it."""
        await self._calls.call(MORE_S, self._look)

    async def close(self) -> None:
        await self._calls.close(self._put_away)

    def _options(self) -> dict[str, Any]:
        """What was not kept is told by the commit."""
        return {
            "transactional.id": self._id,
            "transaction.timeout.ms": int(TRANSACTION_S * 1000),
        }

    def _begin(self) -> None:
        self._producer = self._create()
        try:
            self._insist(self._producer.init_transactions, CLAIM_S)
        except KafkaException as exception:
            raise self._meaning_of(exception, NOT_CLAIMED) from exception

    def _sweep(self) -> None:
        """Ends whatever is open of this transactional id in the topics of events and of levels."""
        not_kept: list[KafkaError] = []

        def note(error: KafkaError | None, _: Kept) -> None:
            if error is not None:
                not_kept.append(error)

        try:
            producer = self._open()
            producer.begin_transaction()
            for topic in (self._target.topics.events, self._target.topics.levels):
                producer.produce(topic, self._claim, claim_key(self._shard), self._shard, on_delivery=note)
            self._flush(producer)
            if not_kept:  # an abort does not say why: a commit does, which is refused then
                self._insist(producer.commit_transaction, COMMIT_S)
            self._insist(producer.abort_transaction, COMMIT_S)
        except KafkaException as exception:
            raise self._meaning_of(exception, NOT_CLAIMED) from exception

    def _mark(self) -> None:
        try:
            producer = self._open()
            producer.begin_transaction()
            self._produce_claim(producer)
            self._flush(producer)
            self._insist(producer.commit_transaction, COMMIT_S)
            self._reported.forget()
        except KafkaException as exception:
            raise self._meaning_of(exception, NOT_CLAIMED) from exception

    def _write(self, batch: Batch) -> None:
        producer = self._open()
        began_s = time.monotonic()
        try:
            producer.begin_transaction()
            self._produce_all(producer, batch)
            self._produce_checkpoint(producer, batch.checkpoint)
            self._flush(producer)
            self._insist(producer.commit_transaction, COMMIT_S)
        except KafkaException as exception:
            raise self._refusal(exception, batch) from exception
        if time.monotonic() - began_s > SLICE_S:
            self._look()
        self._reported.forget()

    def _look(self) -> None:
        """Raises SinkAway where a broker went away since the last page."""
        with suppress(KafkaException):  # the next page is told it as well
            self._open().poll(0)
        if self._reported.anything:
            raise SinkAway(f"a broker went away meanwhile, and may not show a page whole ({self._reported.anything})")

    def _insist(self, function: Callable[[float], None], most_s: float) -> None:
        """Asks again for what takes longer, but not when nobody waits for it any more. Raises KafkaException."""
        ends_s = time.monotonic() + most_s
        while not self._calls.given_up.is_set():
            try:
                function(SLICE_S)
                return
            except KafkaException as exception:
                error: KafkaError = exception.args[0]
                passes = error.retriable() or error.code() == KafkaError.CONCURRENT_TRANSACTIONS
                if not passes or time.monotonic() > ends_s:
                    raise
                if error.code() != KafkaError._TIMED_OUT:
                    time.sleep(AGAIN_S)
        raise SinkAway("nobody waits for it any more")

    def _create(self) -> Producer:
        options: dict[str, Any] = {
            **client_options(self._target.broker, self._id),
            **self._options(),
            "error_cb": self._reported,
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": int(TRANSACTION_S * 1000),
            "message.max.bytes": self._target.message_bytes_max,
        }
        try:
            return Producer(options)
        except KafkaException as exception:  # of the files that they name
            raise self._reported.meaning_of(exception, NOT_CLAIMED) from exception

    def _open(self) -> Producer:
        if self._producer is None:
            raise SinkAway("the shard is not claimed")
        return self._producer

    def _produce_all(self, producer: Producer, batch: Batch) -> None:
        topics = self._target.topics
        for topic, messages in ((topics.events, batch.messages), (topics.levels, batch.levels)):
            for message in messages:
                headers, value = self._rendered(message)
                try:
                    producer.produce(topic, value, message.key, self._shard, headers=headers)
                except KafkaException as exception:
                    if exception.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
                        raise self._too_large(message) from exception
                    raise

    def _rendered(self, message: Message) -> tuple[Any, bytes]:
        """Its headers and value."""
        if self._target.structured:
            return KAFKA_STRUCTURED, envelope.structured(message.attributes, message.data)
        return kafka_common(message.common) + kafka_headers(message.own), message.data

    def _produce_checkpoint(self, producer: Producer, checkpoint: Checkpoint | None) -> None:
        record = Record(checkpoint, self._name).to_json()
        producer.produce(self._target.topics.checkpoints, record, self._key, self._shard)

    def _produce_claim(self, producer: Producer) -> None:
        producer.produce(self._target.topics.checkpoints, self._claim, claim_key(self._shard), self._shard)

    def _flush(self, producer: Producer) -> None:
        """Until all is kept, or will not be. Raises SinkAway, KafkaException."""
        ends_s = time.monotonic() + TRANSACTION_S
        while left := producer.flush(SLICE_S):
            if self._calls.given_up.is_set() or time.monotonic() > ends_s:
                raise SinkAway(f"{left} messages are not kept within {TRANSACTION_S:g} s")

    def _refusal(self, exception: KafkaException, batch: Batch) -> SinkError:
        if exception.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:  # the broker's own limit; it does not say of what
            return self._too_large(max(batch.messages + batch.levels, key=lambda message: len(message.data)))
        return self._meaning_of(exception, NOT_KEPT)

    def _too_large(self, message: Message) -> TooLarge:
        headers = sum(len(name) + len(value) + LENGTHS for name, value in kafka_headers(message.attributes))
        size = len(message.data) + len(message.key) + headers
        return TooLarge(message.id, size, self._target.message_bytes_max, f"{SIZE} of the topic")

    def _meaning_of(self, exception: KafkaException, doing: str) -> SinkError:
        with suppress(KafkaException):  # who was fenced is told so by every call
            self._open().poll(0)  # for what is told beside
        return self._reported.meaning_of(exception, doing)

    def _put_away(self) -> None:
        """What is open is aborted if the broker still answers, else by whoever claims next, or by its time."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.purge()
            producer.abort_transaction(CLOSE_S)
        except KafkaException:  # none is open, it is another's now, or nobody answers
            pass


class PlainWriter(KafkaWriter):
    """Without transactions. Whoever claims writes that into the checkpoints, and whoever wrote before finds it there
    before its next page: so two write at once for one page at most, and what is told twice has the same ids."""

    def __init__(self, target: Target, shard: int) -> None:
        super().__init__(target, shard)
        self._not_kept: KafkaError | None = None

    async def claim(self, epoch: str) -> Checkpoint | None:
        checkpoint = await super().claim(epoch)
        await self._calls.call(TRANSACTION_S + MORE_S, self._take, checkpoint)
        return checkpoint

    async def write(self, batch: Batch) -> None:
        record = await self._target.newest(self._shard)
        if record is None or record.writer != self._name:
            raise Superseded("the newest checkpoint is another relay's")
        await super().write(batch)

    async def rest(self) -> None:
        """What is kept is shown."""

    def _options(self) -> dict[str, Any]:
        return {"delivery.report.only.error": True, "on_delivery": self._note}

    def _begin(self) -> None:
        self._producer = self._create()

    def _mark(self) -> None:
        try:
            producer = self._open()
            self._produce_claim(producer)
            self._flush(producer)
        except KafkaException as exception:
            raise self._meaning_of(exception, NOT_CLAIMED) from exception

    def _sweep(self) -> None:
        """Nothing of ours is in a transaction."""

    def _take(self, checkpoint: Checkpoint | None) -> None:
        try:
            producer = self._open()
            self._produce_checkpoint(producer, checkpoint)
            self._flush(producer)
        except KafkaException as exception:
            raise self._meaning_of(exception, NOT_CLAIMED) from exception

    def _write(self, batch: Batch) -> None:
        producer = self._open()
        try:
            self._produce_all(producer, batch)
            self._flush(producer)
            self._produce_checkpoint(producer, batch.checkpoint)
            self._flush(producer)
        except KafkaException as exception:
            raise self._refusal(exception, batch) from exception

    def _flush(self, producer: Producer) -> None:
        try:
            super()._flush(producer)
        except SystemError as error:  # a fatal error is raised in the middle of a callback, which then fails as well
            raise error.__cause__ or error from None
        not_kept, self._not_kept = self._not_kept, None
        if not_kept is not None:
            raise KafkaException(not_kept)

    def _note(self, error: KafkaError | None, _: Kept) -> None:
        """The first one says more than those that follow from it."""
        if self._not_kept is None:
            self._not_kept = error

    def _put_away(self) -> None:
        if self._producer is not None:
            self._producer.purge()
            self._producer = None
