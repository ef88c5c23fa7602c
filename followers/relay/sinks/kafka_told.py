"""The last message of each partition of a topic that a relay writes."""

import time

from confluent_kafka import KafkaException, Message

from followers.brokers.kafka_headers import headers_of
from followers.relay.sink import SinkAway
from followers.relay.sinks.kafka_tail import Partition, Tail
from followers.relay.standing import attributes_in
from wire.bindings import KAFKA_PREFIX

WINDOWS = (16, 1_000, 10_000, 100_000)
"""Offsets before the end that are looked at: usually the last message is the second last, before the mark of its
transaction; before it may be pages that were aborted."""
LAST = "last"
DECIDED_S = 1.0
"""For what was ended to be marked so here: it was before the claim."""
AGAIN_S = 0.05
"""Until it is looked again whether all is decided."""


class Undecided(SinkAway):
    """A transaction is open there."""


class Told:
    """Blocks; to be used by one thread."""

    def __init__(self, tail: Tail, topic: str) -> None:
        self._tail = tail
        self._topic = topic

    def last(self, shard: int) -> tuple[dict[str, str], int]:
        """Attributes of the last message that readers see, none where there is none, and its offset. To be asked by
        whoever has claimed the shard: all that others wrote is decided then. Raises SinkError: Undecided where that
        cannot be seen here."""
        partition = Partition(self._topic, shard)
        try:
            return self._last(partition)
        except KafkaException as exception:
            self._tail.poll()
            doing = f"the last message of {partition} cannot be read"
            raise self._tail.reported.meaning_of(exception, doing) from exception

    def _last(self, partition: Partition) -> tuple[dict[str, str], int]:
        ends_s = time.monotonic() + DECIDED_S
        while True:
            read, whole = self._tail.read(partition, WINDOWS, lambda _: LAST, lambda _: True)
            self._tail.reported.forget()
            if whole:
                return (_attributes_of(read[LAST]), read[LAST].offset() or 0) if read else ({}, 0)
            if time.monotonic() > ends_s:
                raise Undecided(
                    f"a transaction is open in {partition}, and not ended within {DECIDED_S:g} s: if it stays, "
                    "`kafka-transactions.sh find-hanging` says whose it is"
                )
            time.sleep(AGAIN_S)


def _attributes_of(message: Message) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for name, value in headers_of(message) or ():
        if name.startswith(KAFKA_PREFIX) and value is not None:
            attributes[name.removeprefix(KAFKA_PREFIX)] = value.decode(errors="replace")
    return attributes or attributes_in(message.value() or b"")
