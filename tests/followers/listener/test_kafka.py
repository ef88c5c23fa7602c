"""`stockwire listen` on Kafka goes on behind what it cannot read."""

import asyncio
from contextlib import aclosing

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its stubs do not re-export

from followers.brokers.broker import broker_of
from followers.listener.kafka import lines
from server.settings.environment import Environment
from tests.followers.nameless import send_nameless
from tests.harness.brokers.apache_kafka import Kafka
from tests.harness.waiting import PATIENCE_S

HOT = 100
"""Times, after which Python calls a method faster and looks at its answer no more."""

pytestmark = pytest.mark.usefixtures("processes")


async def test_a_record_whose_header_has_no_name_is_said_to_be_unreadable(
    kafka: Kafka, stream_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, address = f"{stream_prefix}.events", kafka.address
    admin = AdminClient({"bootstrap.servers": address})
    await asyncio.to_thread(admin.create_topics([NewTopic(topic, 1, 1)])[topic].result, PATIENCE_S)
    await send_nameless(address, topic, b'{"on_hand":3}', HOT, monkeypatch)
    producer = Producer({"bootstrap.servers": address})
    producer.produce(topic, b'{"on_hand":3}', headers=[("ce_id", b"e1.0.7")])
    assert await asyncio.to_thread(producer.flush, PATIENCE_S) == 0
    broker = broker_of(Environment({"TO": f"kafka://{address}"}), "TO", {})
    found: list[bytes] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(lines(broker, stream_prefix, from_start=True)) as printed:
        async for line in printed:
            found.append(line)
            if len(found) > HOT:
                break
    assert found[:-1] == [b'{"unreadable":"{\\"on_hand\\":3}"}'] * HOT
    assert found[-1] == b'{"id":"e1.0.7","data":{"on_hand":3}}'
