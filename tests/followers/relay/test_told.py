"""What is planned of a real ledger's log: valid by its schemas, read alike by CloudEvents' SDK and by our client."""

from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat

from followers.relay.message import Message
from followers.relay.planning import Planning
from stockwire import AsyncClient, held, receipt, sale, write_off
from stockwire.streams import Change, CloudEvent, LevelTold, message_of
from tests.followers.relay.batches import logged
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S
from tests.wire.streams.attributes import level_of
from tests.wire.streams.vectors import validator
from wire.bindings import KAFKA_STRUCTURED, amqp_properties, kafka_headers, nats_headers
from wire.envelope import CONTENT_TYPE, structured

KINDS = {"receipt", "sale", "write_off", "mixed", "count", "hold", "commit", "fulfil", "transfer", "transit"}
"""Of what is done below."""


async def test_every_kind_of_change_is_valid_and_read_alike_by_everybody(
    shared_system: System, unique_name: str
) -> None:
    key = await shared_system.key("relay", "admin", "feed", "stock:read:*", "stock:write:*")
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        AsyncClient(shared_system.ledger_url, key) as client,
        httpx.AsyncClient(base_url=shared_system.ledger_url, headers=headers, timeout=PATIENCE_S) as ledger,
    ):
        locations = f"{unique_name}-ä", f"{unique_name}.%b"
        await everything_is_done(client, f'{unique_name}-"ß"', *locations)
        events, levels, epoch = await read(ledger, locations)
    assert {event["kind"] for event in events} >= KINDS
    told = [
        message for event in events for message in planned(epoch, event["shard"]).changes(logged([event]), 0).messages
    ]
    told += [
        message
        for level in levels
        for message in planned(epoch, level["shard"]).retold([level_of(level)], 10**6, 0).messages
    ]
    for message in told:
        check(message)
    assert [orjson.loads(message.data) for message in told[: len(events)]] == events, "field for field"


async def everything_is_done(client: AsyncClient, sku: str, first: str, second: str) -> None:
    for location in (first, second):
        await client.locations.put(location, location)
    await client.items.put(sku, sku)
    occurred = datetime(2026, 11, 1, 12, tzinfo=UTC)
    await client.operation([receipt(sku, first, 20, occurred_at=occurred, reference="delivery-1", reason="spät")])
    await client.operation([sale(sku, first, 2)])
    await client.operation([write_off(sku, first, 1, reason="broken")])
    await client.operation([receipt(sku, first, 5), sale(sku, first, 1)])
    await client.stock.count(sku, first, 15, if_version=None)
    reservation = await client.reservations.reserve([held(sku, first, 3)])
    await client.reservations.commit(reservation.id)
    await client.reservations.fulfil(reservation.id)
    await client.transfers.send(first, second, {sku: 4})


async def read(ledger: httpx.AsyncClient, locations: tuple[str, ...]) -> tuple[list[Any], list[Any], str]:
    """Events of all shards, and levels of these locations."""
    events, levels = [], []
    shards = (await ledger.get("/v1/shards")).raise_for_status().json()
    for shard in shards["shards"]:
        page = await ledger.get("/v1/events", params={"shard": shard["shard"], "limit": 1000})
        events += page.raise_for_status().json()["events"]
    for location in locations:
        levels += (await ledger.get("/v1/levels", params={"location": location})).raise_for_status().json()["levels"]
    assert levels
    return events, levels, shards["epoch"]


def planned(epoch: str, shard: int) -> Planning:
    return Planning("/stockwire/shop", epoch, shard, levels_apart=False)


def check(message: Message) -> None:
    data = orjson.loads(message.data)
    validator("attributes.json").validate(message.attributes)
    validator("change.json" if message.seq is not None else "level.json").validate(data)
    read = [
        CloudEvent.of_kafka(kafka_headers(message.attributes), message.data),
        CloudEvent.of_kafka(KAFKA_STRUCTURED, structured(message.attributes, message.data)),
        CloudEvent.of_nats(nats_headers(message.attributes), message.data),
        CloudEvent.of_amqp(amqp_properties(message.attributes), CONTENT_TYPE, message.data),
    ]
    assert all(one == CloudEvent(message.attributes, data) for one in read)
    record = kafka.KafkaMessage(dict(kafka_headers(message.attributes)), message.key.encode(), message.data)
    by_sdk = kafka.from_binary(record, JSONFormat())
    assert (by_sdk.get_id(), by_sdk.get_subject()) == (message.attributes["id"], f"{data['location']}/{data['sku']}")
    assert by_sdk.get_data() == data
    meant = message_of(read[0])
    assert isinstance(meant, Change | LevelTold)
    assert (meant.level.version, meant.level.available) == (data["version"], data["available"])
    if isinstance(meant, Change):
        assert (meant.event.seq, meant.event.operation) == (message.seq, data["operation"])
