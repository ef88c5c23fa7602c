"""Messages of brokers against the golden vectors: read in every binding, refused with the field that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from stockwire.streams import (
    Change,
    CloudEvent,
    Complete,
    LevelTold,
    Message,
    Rewritten,
    Unreadable,
    of_amqp,
    of_kafka,
    of_nats,
)

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[3] / "wire" / "vectors" / "streams.json").read_text()
)
TYPES = {"change": Change, "level": LevelTold, "rewritten": Rewritten, "complete": Complete}
STRUCTURED = "application/cloudevents+json; charset=UTF-8"


def name_of(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def readings(vector: dict[str, Any]) -> list[Message | None]:
    """The same message as every broker would give it."""
    data = json.dumps(vector["data"]).encode()
    whole = json.dumps({**vector["attributes"], "data": vector["data"]}, ensure_ascii=False).encode()
    headers = [(name, value.encode()) for name, value in vector["kafka"]["headers"].items()]
    properties = vector["amqp"]["properties"]
    in_bytes = {name.encode(): value.encode() for name, value in properties.items()}
    return [
        of_kafka(headers, data),
        of_kafka([("Content-Type", STRUCTURED.encode())], whole),
        of_kafka(None, whole),
        of_nats(vector["nats"]["headers"], data),
        of_nats({"Content-Type": STRUCTURED}, whole),
        of_nats(None, whole),
        of_amqp(properties, vector["amqp"]["content_type"], data),
        of_amqp(in_bytes, vector["amqp"]["content_type"].encode(), data),
        of_amqp({name.replace(":", "_"): value for name, value in properties.items()}, None, data),
        of_amqp(None, STRUCTURED, whole),
    ]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=name_of)
def test_a_message_is_read_the_same_from_every_broker(vector: dict[str, Any]) -> None:
    first, *others = readings(vector)
    assert all(other == first for other in others)
    if not vector["type"]:
        assert first is None
        return
    assert type(first) is TYPES[vector["type"]]
    assert first is not None
    assert first.id == vector["attributes"]["id"]
    assert first.id.startswith(f"{first.epoch}.{first.shard}.")
    data = vector["data"]
    if isinstance(first, Change):
        assert (first.event.seq, first.event.on_hand_delta) == (data["seq"], data["on_hand_delta"])
    if isinstance(first, Change | LevelTold):
        level = first.level
        assert (level.location, level.sku, level.version) == (data["location"], data["sku"], data["version"])
        assert (level.on_hand, level.reserved, level.available) == (
            data["on_hand"],
            data["reserved"],
            data["available"],
        )
    if isinstance(first, Rewritten | Complete):
        assert first.head == data["head"]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=name_of)
def test_attributes_are_those_that_were_sent(vector: dict[str, Any]) -> None:
    data = json.dumps(vector["data"]).encode()
    headers = [(name, value.encode()) for name, value in vector["kafka"]["headers"].items()]
    for event in (
        CloudEvent.of_kafka(headers, data),
        CloudEvent.of_nats(vector["nats"]["headers"], data),
        CloudEvent.of_amqp(vector["amqp"]["properties"], vector["amqp"]["content_type"], data),
    ):
        assert event == CloudEvent(vector["attributes"], vector["data"])


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=name_of)
def test_a_bad_message_is_refused_with_its_field(vector: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as refused:
        of_kafka([(name, value.encode()) for name, value in vector["headers"].items()], vector["text"].encode())
    assert refused.value.field == vector["field"]
    assert str(refused.value).startswith(f"{vector['field']} ")


CHANGES = [vector for vector in VECTORS["vectors"] if vector["type"] == "change" and "later" not in vector["data"]]


@pytest.mark.parametrize("vector", CHANGES, ids=name_of)
def test_what_debezium_tells_is_what_a_relay_would(vector: dict[str, Any]) -> None:
    """It has the columns of the log, of which ``available`` is none, and leaves out decimals that are all 0."""
    attributes, event = vector["attributes"], vector["data"]
    row = {name: value for name, value in event.items() if name != "available"}
    row |= {name: row[name].replace(".000000Z", "Z") for name in ("occurred_at", "committed_at") if row[name]}
    epoch = attributes["id"].rsplit(".", 2)[0]
    headers = [("stockwire_epoch", epoch.encode()), ("stockwire_source", attributes["source"].encode())]
    read = CloudEvent.of_kafka([*headers, ("__debezium.context.connectorName", b"\xff")], json.dumps(row).encode())
    assert read == CloudEvent(attributes, event)
    assert isinstance(read.data, dict)
    assert list(read.data) == list(event)


@pytest.mark.parametrize(
    ("headers", "row", "field"),
    [
        ({"stockwire_epoch": "e"}, {}, "stockwire_source"),
        ({"stockwire_epoch": "", "stockwire_source": "/stockwire/shop"}, {}, "stockwire_epoch"),
        ({"stockwire_epoch": "e", "stockwire_source": "/stockwire/shop"}, {}, "location"),
        ({"stockwire_epoch": "e", "stockwire_source": "/stockwire/shop"}, {"reserved": 1}, "on_hand"),
        ({"stockwire_epoch": "e", "stockwire_source": "/stockwire/shop"}, {"committed_at": 1}, "committed_at"),
        ({"stockwire_epoch": "e", "stockwire_source": "/stockwire/shop"}, [], "data"),
    ],
)
def test_a_row_that_is_none_of_the_log_is_refused_with_its_field(
    headers: dict[str, str], row: object, field: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        of_kafka([(name, value.encode()) for name, value in headers.items()], json.dumps(row).encode())
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ([("ce_id", b"\xff"), ("ce_specversion", b"1.0")], b"{}"),
        ([("ce_specversion", None)], b"{}"),
        (None, None),
        (None, b"\xff\xfe"),
        (None, b"[" * 100_000),
    ],
)
def test_bytes_that_are_no_message_are_refused_with_the_one_error(
    headers: list[tuple[str, bytes | None]] | None, value: bytes | None
) -> None:
    with pytest.raises(Unreadable):
        of_kafka(headers, value)


@pytest.mark.parametrize("quoted", ['"berlin/A"', "berlin%2fA"])
def test_headers_of_nats_by_older_senders_are_read(quoted: str) -> None:
    headers = {**VECTORS["vectors"][0]["nats"]["headers"], "Ce-Subject": quoted}
    del headers["ce-subject"]
    assert CloudEvent.of_nats(headers, b"{}").attributes["subject"] == "berlin/A"


def test_a_header_of_nats_that_is_no_utf_8_is_refused() -> None:
    with pytest.raises(Unreadable, match="headers"):
        CloudEvent.of_nats({"ce-id": "%C0%A0"}, b"{}")
