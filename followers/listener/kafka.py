"""Kafka's topic of events, without a group: nothing is kept at the broker."""

import asyncio
from collections.abc import AsyncGenerator

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from followers.brokers.broker import Broker
from followers.brokers.kafka_client import REQUEST_TIMEOUT_S, client_options
from followers.listener.printed import line_of
from wire.bindings import KAFKA_PREFIX

POLL_S = 0.5
"""For which a thread may still wait at the end."""


async def lines(broker: Broker, prefix: str, *, from_start: bool) -> AsyncGenerator[bytes, None]:
    """Until the broker goes away. Raises ConnectionError, LookupError if there is no such topic."""
    heard: list[KafkaError] = []
    consumer = Consumer(
        {**client_options(broker, "stockwire-listen"), "group.id": "stockwire-listen", "error_cb": heard.append}
    )
    try:
        topic = f"{prefix}.events"
        found = (await asyncio.to_thread(consumer.list_topics, topic, timeout=REQUEST_TIMEOUT_S)).topics[topic]
        start = OFFSET_BEGINNING if from_start else OFFSET_END
        if found.error is not None or not found.partitions:
            raise LookupError(f"no topic {topic}")
        consumer.assign([TopicPartition(topic, number, start) for number in found.partitions])
        while True:
            heard.clear()
            message = await asyncio.to_thread(consumer.poll, POLL_S)
            if gone := [error for error in heard if error.code() == KafkaError._ALL_BROKERS_DOWN]:
                raise KafkaException(gone[0])
            if message is not None:
                if (error := message.error()) is not None:
                    raise KafkaException(error)
                headers = {name: _text(value) for name, value in dict(message.headers() or ()).items()}
                yield line_of(headers, KAFKA_PREFIX, message.value() or b"null")
    except KafkaException as error:
        raise ConnectionError(str(error)) from error
    finally:
        await asyncio.to_thread(consumer.close)


def _text(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""
