"""Records of Kafka with a header whose name is no UTF-8."""

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer import message_accumulator, producer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

NO_UTF8 = b"\xff"


class NoText(str):
    """Written as what is none."""

    __slots__ = ()

    def encode(self, encoding: str = "", errors: str = "") -> bytes:
        return NO_UTF8


async def send_nameless(
    address: str, topic: str, value: bytes, times: int, monkeypatch: pytest.MonkeyPatch, partition: int | None = None
) -> None:
    for module in (message_accumulator, producer):  # its other one takes texts alone
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    async with AIOKafkaProducer(bootstrap_servers=address) as sender:
        for _ in range(times):
            await sender.send(topic, value, partition=partition, headers=[(NoText("x"), b"1")])
