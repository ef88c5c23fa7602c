"""Kafka's topic of events, without a group: nothing is kept at the broker."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from followers.brokers.broker import Broker
from followers.brokers.kafka_client import REQUEST_TIMEOUT_S, client_options
from followers.brokers.kafka_headers import headers_of
from followers.listener.printed import line_of, unreadable
from wire.bindings import KAFKA_PREFIX

POLL_S = 0.5
"""For which a thread may still wait at the end."""
LOOK_EVERY_S = 1.0
"""Whether a broker still answers, while nothing comes: of one that hangs the client says nothing."""


async def lines(broker: Broker, prefix: str, *, from_start: bool) -> AsyncGenerator[bytes, None]:
    """Until no broker answers. Raises ConnectionError, LookupError if there is no such topic."""
    heard: deque[KafkaError] = deque(maxlen=1)
    consumer = Consumer(
        {
            **client_options(broker, "stockwire-listen"),
            "group.id": "stockwire-listen",
            "enable.auto.commit": False,  # or ``close`` waits for a broker that is away
            "error_cb": heard.append,
        }
    )
    try:
        topic = f"{prefix}.events"
        found = (await asyncio.to_thread(consumer.list_topics, topic, timeout=REQUEST_TIMEOUT_S)).topics[topic]
        start = OFFSET_BEGINNING if from_start else OFFSET_END
        if found.error is not None or not found.partitions:
            raise LookupError(f"no topic {topic}")
        consumer.assign([TopicPartition(topic, number, start) for number in found.partitions])
        heard_at = time.monotonic()
        while True:
            message = await asyncio.to_thread(consumer.poll, POLL_S)
            if message is not None:
                if (error := message.error()) is not None:
                    raise KafkaException(error)
                yield _line(message)
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > LOOK_EVERY_S:
                await asyncio.to_thread(consumer.list_topics, topic, timeout=REQUEST_TIMEOUT_S)
                heard_at = time.monotonic()
    except KafkaException as error:
        raise ConnectionError(str(heard[0] if heard else error)) from error
    finally:
        await asyncio.to_thread(consumer.close)


def _line(message: Message) -> bytes:
    headers, body = headers_of(message), message.value() or b"null"
    if headers is None:
        return unreadable(body)
    texts = {name: (value or b"").decode(errors="replace") for name, value in headers}
    return line_of(texts, KAFKA_PREFIX, body)
