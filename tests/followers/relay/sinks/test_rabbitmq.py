"""RabbitMQ: streams, and a topic exchange with queues of others behind it."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import aio_pika
import pytest
from msgspec import structs

from followers.listener.rabbitmq import lines
from followers.relay.message import Checkpoint
from followers.relay.sink import SinkAway, SinkRefused, Superseded
from followers.relay.sinks.rabbitmq_exchange import WINDOW, WINDOWS
from tests.followers.nameless import NoText
from tests.followers.relay.sinks.conformance import EPOCH, SHARD, SHARDS, Conformance, Open
from tests.followers.relay.sinks.rabbitmq_place import ExchangePlace, StreamPlace
from tests.harness.brokers.rabbitmq import RabbitMQ, need_rabbitmq
from tests.harness.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def broker(server_folder: Path, processes: None) -> Iterator[RabbitMQ]:
    """Of this file: it is killed."""
    need_rabbitmq()
    with RabbitMQ(server_folder / "rabbitmq-sink") as broker:
        yield broker


class TestStream(Conformance):
    @pytest.fixture
    def place(self, broker: RabbitMQ, stream_prefix: str) -> StreamPlace:
        return StreamPlace(broker, stream_prefix)

    async def test_a_foreign_message_whose_header_has_no_name_ends_no_reader(self, place: StreamPlace) -> None:
        async with Open(place) as at:
            await (await at.claims(EPOCH, None)).write(at.page(1, 1))
            await place.write_foreign(aio_pika.Message(b"foreign", headers={NoText("x"): "1"}))
            with pytest.raises(SinkRefused, match="is none of a relay"):
                await at.claimed(EPOCH)
        async with aclosing(lines(place.settings, place.prefix, from_start=True)) as found:
            read = [json.loads(await asyncio.wait_for(anext(found), PATIENCE_S)) for _ in range(2)]
        assert read[1] == {"unreadable": "foreign"}


class TestExchange(Conformance):
    @pytest.fixture
    async def place(self, broker: RabbitMQ, stream_prefix: str) -> ExchangePlace:
        place = ExchangePlace(broker, stream_prefix)
        await place.bind()
        return place

    async def test_a_page_that_was_not_confirmed_comes_again(self, place: ExchangePlace) -> None:
        """It stands in the stream, and may be missing in a queue: whoever starts has to see that it is behind."""
        async with Open(place) as at:
            await (await at.claims(EPOCH, None)).write(at.page(1, 5))
            await place.write_unconfirmed(at.page(6, 9), Checkpoint(EPOCH, 5))
            assert await at.sink.last(SHARD) == Checkpoint(EPOCH, 5)
            assert await at.claimed(EPOCH) == Checkpoint(EPOCH, 5)
            await at.writer_.write(at.page(6, 9))
            assert await at.sink.last(SHARD) == Checkpoint(EPOCH, 9)
        told = [int(one.attributes["sequence"]) for one in await place.read(SHARD)]
        assert told == [*range(1, 6), *range(6, 10), *range(6, 10)]

    async def test_of_a_page_that_is_broken_off_what_was_on_its_way_comes_again(self, place: ExchangePlace) -> None:
        """Broken off by a queue that takes no more."""
        last, taken, under_way = 6 * WINDOW, 3 * WINDOW, WINDOWS * WINDOW
        async with Open(place) as at:
            await at.claims(EPOCH, None)
            async with place.full_behind(taken):
                with pytest.raises(SinkAway):
                    await at.writer_.write(at.page(1, last))
            claimed = await at.claimed(EPOCH)
            assert claimed is not None
            assert taken - WINDOW <= claimed.seq <= taken
            await at.writer_.write(at.page(claimed.seq + 1, last))
        told = [int(one.attributes["sequence"]) for one in await place.read(SHARD)]
        broken_off = told.index(claimed.seq + 1, claimed.seq + 1)
        assert told == [*range(1, broken_off + 1), *range(claimed.seq + 1, last + 1)]
        assert broken_off - claimed.seq <= under_way

    async def test_a_page_that_was_confirmed_does_not_come_again(self, place: ExchangePlace) -> None:
        async with Open(place) as at:
            await (await at.claims(EPOCH, None)).write(at.page(1, 5))
            assert await at.claimed(EPOCH) == Checkpoint(EPOCH, 5)

    async def test_stockwire_listen_reads_each_message_once_beside_it(self, place: ExchangePlace) -> None:
        async with Open(place) as at:
            await (await at.claims(EPOCH, None)).write(at.page(1, 3))
            await at.writer_.write(at.page(4, 5))
        async with aclosing(lines(place.listened, place.prefix, from_start=True)) as found:
            read = [json.loads(await asyncio.wait_for(anext(found), PATIENCE_S)) for _ in range(5)]
        assert [one["data"]["seq"] for one in read] == [1, 2, 3, 4, 5]

    async def test_of_two_relays_one_gives_up(self, place: ExchangePlace) -> None:
        async with Open(place) as one, Open(place) as other:
            await one.claims(EPOCH, None)
            await other.claims(EPOCH, None)
            await one.writer_.write(one.page(1, 5))
            with pytest.raises(Superseded):
                await other.writer_.write(other.page(1, 5))

    async def test_bindings_that_were_taken_away_stop_the_shard(self, place: ExchangePlace) -> None:
        async with Open(place) as at:
            await at.claims(EPOCH, None)
            await place.unbind(SHARD)
            message = at.page(1, 1)
            with pytest.raises(SinkRefused, match="leads to no stream"):
                await at.writer_.write(message._replace(messages=[structs.replace(message.messages[0], key="rome/a")]))


@pytest.mark.parametrize("kind", [StreamPlace, ExchangePlace])
async def test_a_wrong_password_is_said(
    kind: type[StreamPlace | ExchangePlace], broker: RabbitMQ, stream_prefix: str
) -> None:
    place = kind(broker, stream_prefix)
    place.settings = replace(place.settings, password="wrong")
    async with place.sink() as sink:
        with pytest.raises(SinkRefused, match="STOCKWIRE_BROKER_USER"):
            await sink.prepare(SHARDS)
