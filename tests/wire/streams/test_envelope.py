"""What a relay writes: equal to the vectors, and read by the SDK of CloudEvents as what was meant."""

import json
from datetime import datetime
from typing import Any

import pytest
from cloudevents.core.bindings import amqp, kafka, rabbitmq
from cloudevents.core.formats.json import JSONFormat

from tests.wire.streams import attributes
from tests.wire.streams.vectors import KNOWN, VECTORS, name_of
from wire import envelope
from wire.bindings import (
    KAFKA_STRUCTURED,
    NATS_STRUCTURED,
    amqp_properties,
    kafka_headers,
    nats_headers,
)

vectors = pytest.mark.parametrize("vector", VECTORS, ids=name_of)
known = pytest.mark.parametrize("vector", KNOWN, ids=name_of)


@known
def test_the_attributes_are_those_of_the_vector(vector: dict[str, Any]) -> None:
    data, source = vector["data"], vector["attributes"]["source"]
    sequence = int(vector["attributes"]["sequence"])
    if vector["type"] == "change":
        epoch = vector["attributes"]["id"].rsplit(".", 2)[0]
        made = attributes.change(source, epoch, data)
    elif vector["type"] == "level":
        made = attributes.level(source, data["epoch"], data["shard"], sequence, data)
    else:
        made = getattr(attributes, vector["type"])(source, data["epoch"], data["shard"], data["head"])
    assert made == vector["attributes"]


def test_the_data_of_what_is_no_change_is_that_of_the_vector() -> None:
    for vector in KNOWN:
        data = vector["data"]
        if vector["type"] == "level":
            event = {**data, "reason": None, "actor": "somebody"}  # as what it is made from: it has more
            assert envelope.level_data(data["epoch"], attributes.level_of(event)) == data
        elif vector["type"] != "change":
            assert envelope.history_data(data["epoch"], data["shard"], data["head"]) == data


@known
def test_the_id_of_a_change_says_where_it_stands_and_no_other_does(vector: dict[str, Any]) -> None:
    read = envelope.parse_id(vector["attributes"]["id"])
    if vector["type"] == "change":
        assert read is not None
        assert (read.shard, read.seq) == (vector["data"]["shard"], vector["data"]["seq"])
        assert str(read) == vector["attributes"]["id"]
    else:
        assert read is None


@pytest.mark.parametrize("text", ["", ".", "..", "e.1", ".0.1", "e..1", "e.0.", "e.-1.1", "e.0.1\n", "e.0.\u0661"])
def test_what_is_no_id_of_a_change_is_none(text: str) -> None:
    assert envelope.parse_id(text) is None


@vectors
def test_headers_are_those_of_the_vector(vector: dict[str, Any]) -> None:
    attributes = vector["attributes"]
    assert dict(kafka_headers(attributes)) == {k: v.encode() for k, v in vector["kafka"]["headers"].items()}
    assert nats_headers(attributes) == vector["nats"]["headers"]
    assert amqp_properties(attributes) == vector["amqp"]["properties"]
    assert vector["amqp"]["content_type"] == envelope.CONTENT_TYPE
    assert vector["kafka"]["key"] == attributes["partitionkey"]


@vectors
def test_a_structured_body_is_attributes_and_data(vector: dict[str, Any]) -> None:
    body = envelope.structured(vector["attributes"], json.dumps(vector["data"]).encode())
    assert json.loads(body) == {**vector["attributes"], "data": vector["data"]}
    assert {KAFKA_STRUCTURED[0][1].decode(), *NATS_STRUCTURED.values()} == {envelope.STRUCTURED_CONTENT_TYPE}


@vectors
def test_the_sdk_of_cloudevents_reads_what_was_meant(vector: dict[str, Any]) -> None:
    """NATS has no binding there; what is structured is the same for every broker."""
    attributes = vector["attributes"]
    data = json.dumps(vector["data"]).encode()
    key, headers = attributes["partitionkey"].encode(), dict(kafka_headers(attributes))
    of_amqp = amqp.AMQPMessage({"content-type": envelope.CONTENT_TYPE}, {**amqp_properties(attributes)}, data)
    of_kafka = kafka.KafkaMessage(headers, key, data)
    whole = envelope.structured(attributes, data)
    read = [
        kafka.from_binary(of_kafka, JSONFormat()),
        amqp.from_binary(of_amqp, JSONFormat()),
        kafka.from_structured(kafka.KafkaMessage(dict(KAFKA_STRUCTURED), key, whole), JSONFormat()),
        amqp.from_structured(
            amqp.AMQPMessage({"content-type": envelope.STRUCTURED_CONTENT_TYPE}, {}, whole), JSONFormat()
        ),
        rabbitmq.from_structured(rabbitmq.RabbitMQMessage({}, envelope.STRUCTURED_CONTENT_TYPE, whole), JSONFormat()),
    ]
    for event in read:
        told = event.get_attributes()
        if "time" in attributes:
            assert told.pop("time") == datetime.fromisoformat(attributes["time"])
        else:
            del told["time"]  # the SDK's: when it was read
        assert told == {name: value for name, value in attributes.items() if name != "time"}
        assert event.get_data() == vector["data"]
