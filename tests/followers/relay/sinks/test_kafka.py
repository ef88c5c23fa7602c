"""What a relay leaves in Kafka, over a broker that speaks its protocol: whole pages, by one writer at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer

from followers.relay.message import Checkpoint
from followers.relay.sink import SinkAway, SinkRefused, Superseded, TooLarge
from followers.relay.sinks import kafka_told, kafka_topics
from followers.relay.sinks.kafka import KafkaSink
from followers.relay.sinks.kafka_writer import KafkaWriter
from tests.followers.nameless import send_nameless
from tests.followers.relay.batches import EPOCH, event, logged, planning, row, sales
from tests.followers.relay.sinks.kafka_place import sink_at
from tests.followers.relay.sinks.kafka_reading import read
from tests.harness.brokers.noida import Noida
from tests.harness.waiting import PATIENCE_S, wait_until

SHARDS = 2

pytestmark = pytest.mark.usefixtures("processes")


@pytest.fixture
async def sink(kafka: Noida, stream_prefix: str) -> AsyncIterator[KafkaSink]:
    async with sink_at(kafka.address, stream_prefix) as one:
        await one.prepare(SHARDS)
        yield one


async def seqs(address: str, prefix: str, *, committed: bool = True) -> list[tuple[int, int]]:
    """Shard and seq of every event that stands there."""
    found = await asyncio.to_thread(read, address, f"{prefix}.events", committed=committed)
    return [(one.partition, one.seq) for one in found]


async def test_a_page_is_events_levels_and_checkpoint(sink: KafkaSink, kafka: Noida, stream_prefix: str) -> None:
    assert await sink.last(1) is None
    async with sink.writer(1) as writer:
        assert await writer.claim(EPOCH) is None
        page = planning(shard=1).changes(logged([event(1, shard=1), event(2, "B-2", shard=1), event(3, shard=1)]), 0)
        await writer.write(page)
        await writer.write(sales(4, 5, shard=1))
    assert await sink.last(1) == Checkpoint(EPOCH, 5)
    assert await sink.last(0) is None
    events = await asyncio.to_thread(read, kafka.address, f"{stream_prefix}.events")
    assert [(one.partition, one.key, one.id) for one in events] == [
        (1, "berlin/B-2" if seq == 2 else "berlin/A-1", f"{EPOCH}.1.{seq}") for seq in range(1, 6)
    ]
    assert orjson.loads(events[2].value) == event(3, shard=1)
    assert events[2].headers["content-type"] == "application/json"
    levels = await asyncio.to_thread(read, kafka.address, f"{stream_prefix}.levels")
    assert [(one.key, one.seq, orjson.loads(one.value)["on_hand"]) for one in levels] == [
        ("berlin/B-2", 2, 999_998),
        ("berlin/A-1", 3, 999_997),
        ("berlin/A-1", 5, 999_995),
    ]


async def test_structured_is_one_object(kafka: Noida, stream_prefix: str) -> None:
    async with sink_at(kafka.address, stream_prefix, structured=True) as sink:
        await sink.prepare(1)
        async with sink.writer(0) as writer:
            await writer.claim(EPOCH)
            await writer.write(sales(1, 1))
    [one] = await asyncio.to_thread(read, kafka.address, f"{stream_prefix}.events")
    assert one.headers == {"content-type": "application/cloudevents+json; charset=UTF-8"}
    whole = orjson.loads(one.value)
    assert (whole["id"], whole["data"]) == (f"{EPOCH}.0.1", event(1))


async def test_who_claimed_before_can_write_no_more(sink: KafkaSink, kafka: Noida, stream_prefix: str) -> None:
    """Also one that was paused in the middle, for however long."""
    async with sink_at(kafka.address, stream_prefix) as other, sink.writer(0) as paused, other.writer(0) as successor:
        await paused.claim(EPOCH)
        await paused.write(sales(1, 2))
        assert await successor.claim(EPOCH) == Checkpoint(EPOCH, 2)
        with pytest.raises(Superseded):
            await paused.write(sales(3, 4))
        await successor.write(sales(3, 3))
        with pytest.raises((Superseded, SinkAway)):
            await paused.write(sales(3, 4))
    assert await seqs(kafka.address, stream_prefix) == [(0, 1), (0, 2), (0, 3)]
    assert await sink.last(0) == Checkpoint(EPOCH, 3)


async def test_a_page_that_was_given_up_is_seen_by_nobody(sink: KafkaSink, kafka: Noida, stream_prefix: str) -> None:
    async with sink.writer(0) as writer:
        await writer.claim(EPOCH)
        await writer.write(sales(1, 1))
        with pytest.raises(TooLarge) as refused:
            await writer.write(planning().changes(logged([event(2), event(3, reason="x" * 1_100_000)]), 0))
    assert refused.value.message_id == f"{EPOCH}.0.3"
    assert refused.value.size_bytes > refused.value.limit_bytes
    assert await sink.last(0) == Checkpoint(EPOCH, 1)
    async with sink.writer(0) as writer:
        assert await writer.claim(EPOCH) == Checkpoint(EPOCH, 1)
        await writer.write(sales(2, 2))
    assert await seqs(kafka.address, stream_prefix) == [(0, 1), (0, 2)]


async def test_the_checkpoint_is_found_behind_any_number_of_aborted_pages(sink: KafkaSink) -> None:
    async with sink.writer(0) as writer:
        await writer.claim(EPOCH)
        await writer.write(planning().retold([row("A-1", 7)], 9, 0))
        await asyncio.to_thread(aborted, writer, 12)
    assert await sink.last(0) == Checkpoint(EPOCH, 9, complete=False, told=1)


def aborted(writer: KafkaWriter, pages: int) -> None:
    """Pages of which all was sent, and nothing committed."""
    producer = writer._open()
    for seq in range(10, 10 + pages):
        producer.begin_transaction()
        writer._produce_checkpoint(producer, Checkpoint(EPOCH, seq))
        assert not producer.flush(PATIENCE_S)
        producer.abort_transaction(PATIENCE_S)


@pytest.mark.parametrize("structured", [False, True])
async def test_where_a_page_is_not_whole_what_readers_see_of_events_counts(
    kafka: Noida, stream_prefix: str, structured: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """As a broker shows it that was killed and forgot to end a transaction in one topic or the other: a checkpoint
    without its events, then events without their checkpoint and levels."""
    batch = sales(4, 5)
    async with sink_at(kafka.address, stream_prefix, structured=structured) as sink:
        await sink.prepare(1)
        async with sink.writer(0) as writer:
            await writer.claim(EPOCH)
            await writer.write(sales(1, 3))
            await writer.write(batch._replace(messages=[], levels=[]))
        assert await sink.last(0) == Checkpoint(EPOCH, 5)
        async with sink.writer(0) as writer:
            assert await writer.claim(EPOCH) == Checkpoint(EPOCH, 3)
            assert "a page is not whole shard=0" in caplog.text
            await writer.write(batch._replace(levels=[], checkpoint=sales(1, 3).checkpoint))
            assert await writer.claim(EPOCH) == Checkpoint(EPOCH, 5, levels_whole=False)
            await writer.write(batch._replace(messages=[]))
            assert await writer.claim(EPOCH) == Checkpoint(EPOCH, 5)
    found = await asyncio.to_thread(read, kafka.address, f"{stream_prefix}.events")
    assert [orjson.loads(one.value).get("data", orjson.loads(one.value))["seq"] for one in found] == [1, 2, 3, 4, 5]


async def test_a_foreign_record_whose_header_has_no_name_ends_no_claim(
    sink: KafkaSink, kafka: Noida, stream_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sink.writer(0) as writer:
        await writer.claim(EPOCH)
        await writer.write(sales(1, 2))
        for topic in (f"{stream_prefix}.events", f"{stream_prefix}.levels"):
            await send_nameless(kafka.address, topic, b"foreign", 1, monkeypatch, partition=0)
        assert await writer.claim(EPOCH) == Checkpoint(EPOCH, 2, levels_whole=False), "levels are told anew"


async def test_who_rests_claims_anew_when_the_broker_was_away(
    processes: None, server_folder: Path, stream_prefix: str
) -> None:
    """What it wrote last may not be shown."""
    with Noida(server_folder / "noida-away") as broker:
        async with sink_at(broker.address, stream_prefix) as sink:
            await sink.prepare(1)
            async with sink.writer(0) as writer:
                await writer.claim(EPOCH)
                await writer.write(sales(1, 3))
                await writer.rest()
                await broker.restart()

                async def noticed() -> bool:
                    try:
                        await writer.rest()
                    except SinkAway as error:
                        return "a broker went away" in str(error)
                    return False

                await wait_until(noticed, what="it is noticed")
                await writer.claim(EPOCH)
                await writer.rest()


async def test_nobody_goes_on_before_it_is_decided_what_stands_there(
    sink: KafkaSink, kafka: Noida, stream_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends what is open of its own; this one is somebody else's."""
    monkeypatch.setattr(kafka_told, "DECIDED_S", 0.1)
    open_ = Producer({"bootstrap.servers": kafka.address, "transactional.id": f"{stream_prefix}-open"})
    async with sink.writer(0) as writer:
        await writer.claim(EPOCH)
        await writer.write(sales(1, 3))
    await asyncio.to_thread(begin, open_, f"{stream_prefix}.events")
    async with sink.writer(0) as writer:
        with pytest.raises(SinkAway, match="a transaction is open in"):
            await writer.claim(EPOCH)
    for topic in ("events", "levels"):
        every = await asyncio.to_thread(read, kafka.address, f"{stream_prefix}.{topic}", committed=False)
        assert every[-1].key == "0 claim", "what is open of its own was ended"
    await asyncio.to_thread(open_.abort_transaction, PATIENCE_S)
    async with sink.writer(0) as writer:
        assert await writer.claim(EPOCH) == Checkpoint(EPOCH, 3)


def begin(producer: Producer, topic: str) -> None:
    producer.init_transactions(PATIENCE_S)
    producer.begin_transaction()
    producer.produce(topic, b"{}", b"0", 0)
    assert not producer.flush(PATIENCE_S)


async def test_a_topic_with_too_few_partitions_is_refused_with_the_fix(
    sink: KafkaSink, kafka: Noida, stream_prefix: str
) -> None:
    with pytest.raises(SinkRefused) as refused:
        await sink.prepare(SHARDS + 1)
    fix = f"kafka-topics.sh --bootstrap-server {kafka.address} --alter --topic {stream_prefix}.events --partitions 3"
    assert str(refused.value) == f"the topic {stream_prefix}.events has 2 partitions, and there are 3 shards: {fix}"
    await sink.prepare(SHARDS - 1)


async def test_without_transactions_what_is_written_twice_has_the_same_ids(kafka: Noida, stream_prefix: str) -> None:
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(sink_at(kafka.address, stream_prefix, transactions=False)) for _ in range(2)
        ]
        await one.prepare(1)
        first = await stack.enter_async_context(one.writer(0))
        assert await first.claim(EPOCH) is None
        await first.write(sales(1, 2))
        second = await stack.enter_async_context(other.writer(0))
        assert await second.claim(EPOCH) == Checkpoint(EPOCH, 2)
        with pytest.raises(Superseded):
            await first.write(sales(3, 3))
        await second.write(sales(3, 4))
        assert await one.last(0) == Checkpoint(EPOCH, 4)
    assert await seqs(kafka.address, stream_prefix) == [(0, seq) for seq in (1, 2, 3, 4)]


async def test_a_broker_that_is_away_is_said_within_the_deadline(
    stream_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_topics, "REQUEST_S", 0.5)
    async with sink_at("127.0.0.1:1", stream_prefix) as sink:
        with pytest.raises(SinkAway, match="topics cannot be looked at"):
            await sink.prepare(1)
