"""The last message of each partition of the topic of events."""

import time

from confluent_kafka import KafkaException, Message

from followers.brokers.broker import Broker
from followers.relay.message import Checkpoint
from followers.relay.sink import SinkAway
from followers.relay.sinks.kafka_tail import READ_S, Tail
from followers.relay.standing import attributes_in, checkpoint_of
from wire.bindings import KAFKA_PREFIX

WINDOWS = (16, 1_000, 6_000, 20_000)
"""Offsets before the end that are looked at: usually the last message is the second last, before the mark of its
transaction; before it may be pages that were aborted. Where none of these can be seen, the checkpoint stands alone."""
LAST = "last"
AGAIN_S = 0.05
"""Until it is looked again whether all is decided."""


class Told:
    """Blocks; to be used by one thread."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._tail = Tail(broker, topic)

    def close(self) -> None:
        self._tail.close()

    def last(self, shard: int) -> Checkpoint | None:
        """What the last message says, None if there is none of a relay. To be asked by whoever has claimed the shard:
        all that others wrote is decided then. Raises SinkError: SinkAway as long as that cannot be seen here."""
        try:
            return self._last(shard)
        except KafkaException as exception:
            self._tail.poll()
            doing = f"the events of shard {shard} cannot be read"
            raise self._tail.reported.meaning_of(exception, doing) from exception

    def _last(self, shard: int) -> Checkpoint | None:
        ends_s = time.monotonic() + READ_S
        while True:
            read, whole = self._tail.read(shard, WINDOWS, lambda _: LAST, lambda _: True)
            self._tail.reported.forget()
            if whole:
                return _checkpoint_in(read[LAST]) if read else None
            if time.monotonic() > ends_s:
                raise SinkAway(f"what was written before of shard {shard} is not decided within {READ_S:g} s")
            time.sleep(AGAIN_S)


def _checkpoint_in(message: Message) -> Checkpoint | None:
    attributes: dict[str, str] = {}
    for name, value in dict(message.headers() or ()).items():
        if name.startswith(KAFKA_PREFIX) and isinstance(value, bytes):
            attributes[name.removeprefix(KAFKA_PREFIX)] = value.decode(errors="replace")
    return checkpoint_of(attributes or attributes_in(message.value() or b""), message.offset() or 0)
