"""Commands of Kafka's topics, and results and offsets in one transaction. It blocks: one thread calls it, and only the
transactions of several partitions are made side by side.

Each partition has a producer of its own, whose ``transactional.id`` names the partition: who is assigned it begins with
``init_transactions``, which ends what was under way by whoever had it before, and only then reads the offset.
"""

import json
import logging
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its stubs do not re-export

from followers.brokers.broker import Broker
from followers.brokers.kafka_client import client_options
from followers.brokers.kafka_heard import RIGHTS, Heard, is_refusal
from followers.intake.laid_aside import PROBLEM_HEADER, lacking, laid_aside
from followers.intake.progress import Progress
from followers.intake.source import SourceAway, SourceError, SourceRefused

CALL_S = 10.0
"""For each call of the broker, and for a transaction, whole."""
GIVE_BACK_S = 5.0
"""For all partitions together that are given back: whoever stops this process may kill it soon, and whoever gets them
waits."""
CALL_S_MIN = 0.05
"""For a call behind that: one that would be answered at once still is."""
SESSION_S = 10
"""After which whoever is silent loses its partitions; Kafka takes 6 at least by default."""
TRANSACTIONS = 8
"""That are made at once, each of a partition."""
TRANSACTION_S = 30
"""After which the broker ends a transaction of whoever is gone for good."""
PARTITIONS = 8
"""Of topics that are made here."""
FETCHED_KBYTES = 8 * 1024
"""Of commands that wait in the client's memory."""
RIGHTS_FIX = "docs/how-to/commands.md has the kafka-acls lines"
RECORD_BYTES_MAX = 2 * 2**20
"""What the client sends; the broker says whether it takes that."""
UNDECIDED = (KafkaError.UNSTABLE_OFFSET_COMMIT, KafkaError._TIMED_OUT)
"""The client asks again for as long as it may."""
REPORT_S = 0.1
"""For a look at what the broker says of single records."""
SURE_BYTES = 16 * 1024
"""Of a dead message that was too large, and of its key."""
LENGTH_BYTES_MAX = 5
"""Of a number that says how long a name or value is."""
LARGE_BYTES = 100_000
"""Of a record. Brokers take a million by default, so what is less is refused by none that is set up as we ask."""
log = logging.getLogger(__name__)


class Record(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]]


@dataclass(eq=False)
class Partition:
    """``waiting``: fetched, and not begun. ``noted``: that something is begun here."""

    number: int
    progress: Progress[Record]
    producer: Producer
    waiting: deque[Message] = field(default_factory=deque)
    noted: bool = False


class Reader:
    """``partitions``: those that are ours now; ``lost``: those that are not any more, for whoever works on them."""

    def __init__(self, broker: Broker, prefix: str, window: int, instance: str) -> None:
        self.commands, self.results, self.dead = (f"{prefix}.{name}" for name in ("commands", "results", "dead"))
        self._broker = broker
        self._group = f"{prefix}-intake"
        self._window = window
        self.partitions: dict[int, Partition] = {}
        self.lost: list[Partition] = []
        self._paused = False
        self._ends_at = math.inf
        self._failure: SourceError | None = None
        needs = {
            KafkaError.TOPIC_AUTHORIZATION_FAILED: f"Read of {self.commands}, Write of {self.results} and {self.dead}",
            KafkaError.GROUP_AUTHORIZATION_FAILED: f"Read of the group {self._group}",
            KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: f"Write of the transactional ids {self._group}-...",
        }
        self._heard = Heard(broker, needs)
        self._threads = ThreadPoolExecutor(TRANSACTIONS, "transaction")
        options = client_options(broker, self._group) | {
            "group.id": self._group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": SESSION_S * 1000,
            "queued.max.messages.kbytes": FETCHED_KBYTES,
            "queued.min.messages": 4 * window,
            "error_cb": self._heard,
        }
        if instance:
            options["group.instance.id"] = instance
        try:
            self._consumer = Consumer(options)
        except KafkaException as error:  # of the files that they name
            raise self._told(error) from error

    def open(self) -> None:
        """Raises SourceError."""
        try:
            there = self._heard.metadata(self._consumer).topics
            missing = {self.commands, self.results, self.dead} - there.keys()
            if missing:
                self._make(sorted(missing))
            self._consumer.subscribe(
                [self.commands], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._taken_away
            )
        except KafkaException as error:
            raise self._told(error) from error

    def poll(self, most: int, wait_s: float) -> None:
        """Puts up to so many commands with their partitions; waits so long for the first. Raises SourceError."""
        try:
            first = self._consumer.poll(wait_s)
            found = [] if first is None else [first]
            if found and most > 1:
                found += self._consumer.consume(most - 1, 0)
        except KafkaException as error:
            raise self._told(error) from error
        if self._failure is not None:
            raise self._failure
        if (refusal := self._heard.refusal) is not None:
            raise self._meaning_of(refusal)
        for message in found:
            if (wrong := message.error()) is not None:
                raise self._told(KafkaException(wrong))
            if (partition := self.partitions.get(message.partition() or 0)) is not None:
                partition.waiting.append(message)

    def pause(self, *, paused: bool) -> None:
        """So that ``poll`` brings nothing, also of what is assigned meanwhile, and still keeps the broker company.
        Raises SourceError."""
        self._paused = paused
        try:
            assigned = self._consumer.assignment()
            (self._consumer.pause if paused else self._consumer.resume)(assigned)
        except KafkaException as error:
            raise self._told(error) from error

    def note(self, partition: Partition) -> None:
        """Before the first of its commands is begun: where nothing is, a restart counts against nobody. Raises
        SourceError."""
        self._commit(partition, [], partition.progress.note, self._consumer.consumer_group_metadata())
        partition.noted = True

    def settle(self, partitions: Sequence[Partition]) -> None:
        """Writes what is done, with the offset behind it, of each whole or not at all. Raises SourceError, when all
        have come to an end."""
        group = self._consumer.consumer_group_metadata()
        if len(partitions) == 1:
            self._settle(partitions[0], group)
            return
        settled = [self._threads.submit(self._settle, one, group) for one in partitions]
        wait(settled)
        for one in settled:
            one.result()

    def _settle(self, partition: Partition, group: object) -> None:
        if records := partition.progress.settle():
            self._commit(partition, records, partition.progress.note, group)

    def end_within(self, within_s: float) -> None:
        """From now on calls wait only until then, as far as they have not begun."""
        self._ends_at = min(self._ends_at, time.monotonic() + within_s)

    def close(self) -> None:
        """Gives everything back, with what is done. Safe if the broker is away."""
        with suppress(KafkaException, RuntimeError):  # it is gone either way
            self._consumer.close()
        self._threads.shutdown()
        self.partitions.clear()

    def _commit(
        self, partition: Partition, records: Sequence[Record], note: str, group: object, within_s: float = CALL_S
    ) -> None:
        """``group``: as the thread knows it that has the consumer: while that closes, any other would wait for ever.

        Where the broker finds them too large, the largest dead message goes without what makes it large, one after
        the other: it came below the limit, and is above it with its problem. Each time by a producer of its own: in the
        other, the record that was refused has used up a number, and what it would write next is refused as out of
        order."""
        left, end = list(records), min(time.monotonic() + within_s, self._ends_at)
        while True:
            try:
                self._write(partition, left, note, group, end)
            except (KafkaException, BufferError) as error:
                largest = max((one for one in left if one.topic == self.dead), key=_size, default=None)
                if not _is_too_large(error) or largest is None or (smaller := _smaller(largest)) == largest:
                    raise self._told(error) from error
                left[left.index(largest)] = smaller
            else:
                return
            try:
                partition.producer = self._producer(partition.number, end)  # which ends what the other has begun
            except KafkaException as error:
                raise self._told(error) from error

    def _write(self, partition: Partition, records: Sequence[Record], note: str, group: object, end: float) -> None:
        producer = partition.producer
        position = TopicPartition(self.commands, partition.number, partition.progress.offset, metadata=note)
        producer.begin_transaction()
        refusals: list[KafkaError] = []
        report = partial(_note_refusal, refusals)
        for record in records:
            producer.produce(record.topic, record.value, record.key, headers=list(record.headers), on_delivery=report)
        if any(_size(one) > LARGE_BYTES for one in records):
            _await_taken(producer, refusals, end)
        try:
            producer.send_offsets_to_transaction([position], group, _left_s(end))
            producer.commit_transaction(_left_s(end))
        except KafkaException as error:
            if refusals:  # of which it says nothing
                raise KafkaException(refusals[0]) from error
            raise
        self._heard.forget()

    def _assigned(self, _: Consumer, assigned: list[TopicPartition]) -> None:
        """Called within ``poll``: whose caller is told what goes wrong."""
        try:
            for one in assigned:
                self._begin(one)
            self._consumer.incremental_assign(assigned)
            if self._paused:
                self._consumer.pause(assigned)
        except KafkaException as error:
            self._failure = self._told(error)
        except SourceError as error:
            self._failure = error

    def _begin(self, one: TopicPartition) -> None:
        producer = self._producer(one.partition, time.monotonic() + CALL_S)
        committed = self._committed(producer, one)
        if committed.offset < 0:
            first, _ = self._consumer.get_watermark_offsets(one, CALL_S)
            committed.offset = max(first, 0)
        partition = Partition(
            one.partition, Progress(committed.offset, committed.metadata or "", self._window), producer
        )
        one.offset = committed.offset or OFFSET_BEGINNING
        self.partitions[one.partition] = partition
        log.info("a partition is ours partition=%d offset=%d", one.partition, committed.offset)

    def _committed(self, producer: Producer, one: TopicPartition) -> TopicPartition:
        """Apache Kafka 4.3 that is killed as it ends a transaction may say that it has ended and never do so for some
        of its partitions: then an offset stays undecided for ever, and nobody is told it. The next transaction of this
        name ends that one too: it is aborted, so what may have been done is done again."""
        try:
            return self._consumer.committed([one], CALL_S)[0]
        except KafkaException as error:
            if error.args[0].code() not in UNDECIDED:
                raise
        producer.begin_transaction()
        nowhere = TopicPartition(self.commands, one.partition, 0)
        producer.send_offsets_to_transaction([nowhere], self._consumer.consumer_group_metadata(), CALL_S)
        producer.abort_transaction(CALL_S)
        return self._consumer.committed([one], CALL_S)[0]

    def _producer(self, number: int, end: float) -> Producer:
        """What whoever had the partition before has begun is aborted, and what they begin from now on is refused."""
        options = client_options(self._broker, self._group) | {
            "transactional.id": f"{self._group}-{number}",
            "transaction.timeout.ms": TRANSACTION_S * 1000,
            "message.max.bytes": RECORD_BYTES_MAX,
            "partitioner": "murmur2_random",
            "linger.ms": 0,
            "delivery.report.only.error": True,
        }
        producer = Producer(options)
        producer.init_transactions(_left_s(end))
        return producer

    def _revoked(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        """All at once, and within one time."""
        ours = [self.partitions.pop(one.partition) for one in revoked if one.partition in self.partitions]
        self.lost += ours
        group, end = self._consumer.consumer_group_metadata(), time.monotonic() + GIVE_BACK_S
        given = [self._threads.submit(self._give_back, one, group, end) for one in ours if one.noted]
        for one in given:
            try:
                one.result()
            except SourceError as error:
                log.warning("a partition is given back as it was reason=%r", str(error))

    def _give_back(self, partition: Partition, group: object, end: float) -> None:
        """With what is done, and without a note: nobody ended amid the next command."""
        self._commit(partition, partition.progress.settle(), "", group, _left_s(end))

    def _taken_away(self, _: Consumer, lost: list[TopicPartition]) -> None:
        for one in lost:
            if (partition := self.partitions.pop(one.partition, None)) is not None:
                self.lost.append(partition)

    def _make(self, topics: Sequence[str]) -> None:
        admin = AdminClient(dict[str, Any](client_options(self._broker, self._group)))
        for name, future in admin.create_topics([NewTopic(name, PARTITIONS, -1) for name in topics]).items():
            try:
                future.result(CALL_S)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise SourceRefused(
                        f"there is no topic {name}, and none can be made ({error.args[0].str()}): make it with "
                        f"kafka-topics --create --topic {name} --partitions {PARTITIONS}"
                    ) from error

    def _told(self, error: Exception) -> SourceError:
        cause = error.args[0] if error.args else error
        if not isinstance(cause, KafkaError):
            return SourceAway(str(cause) or type(error).__name__)
        if _is_too_large(error):
            return SourceRefused(
                f"a result or dead message is above the broker's limit: raise max.message.bytes of {self.results} and "
                f"{self.dead} to {RECORD_BYTES_MAX}"
            )
        return self._meaning_of(cause)

    def _meaning_of(self, error: KafkaError) -> SourceError:
        cause = self._heard.cause_of(error)
        said = self._heard.words_of(cause)
        if is_refusal(cause):
            return SourceRefused(said)
        if cause.code() in RIGHTS:
            return SourceRefused(f"{said} ({RIGHTS_FIX})")
        return SourceAway(said)


def _note_refusal(refusals: list[KafkaError], refusal: KafkaError | None, _: Message) -> None:
    if refusal is not None:
        refusals.append(refusal)


def _left_s(end: float) -> float:
    return max(end - time.monotonic(), CALL_S_MIN)


def _await_taken(producer: Producer, refusals: Sequence[KafkaError], end: float) -> None:
    """Until the broker has all records, or ``end``. Raises KafkaException of the first that it refuses: the calls
    behind it do not say so each time: they fail, or wait for records that the client holds back from then on."""
    while len(producer) and not refusals and time.monotonic() < end:
        producer.poll(REPORT_S)
    if refusals:
        raise KafkaException(refusals[0])


def _size(record: Record) -> int:
    return len(record.value) + len(record.key or b"") + sum(_size_of_header(*one) for one in record.headers)


def _size_of_header(name: str, value: bytes) -> int:
    return len(name.encode()) + len(value) + 2 * LENGTH_BYTES_MAX


def _smaller(dead: Record) -> Record:
    """Which any broker takes."""
    problem, key = json.loads(dict(dead.headers)[PROBLEM_HEADER]), dead.key
    if key is not None and len(key) > SURE_BYTES:
        problem, key = lacking(problem, [f"the key of {len(key):,} bytes"]), None
    fitting = laid_aside(dead.headers, dead.value, problem, _size_of_header, SURE_BYTES, SURE_BYTES)
    return Record(dead.topic, key, fitting.body, [*fitting.headers, (PROBLEM_HEADER, fitting.problem.encode())])


def _is_too_large(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(cause, KafkaError) and cause.code() == KafkaError.MSG_SIZE_TOO_LARGE
