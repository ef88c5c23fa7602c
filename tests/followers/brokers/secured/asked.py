"""A relay's sink and an intake's source, asked for all that they do, and what they say."""

import asyncio
from collections.abc import Callable, Mapping

from followers.intake.applying import Applying
from followers.intake.ledger import CommandLedger
from followers.intake.settings import read_settings as intake_settings
from followers.intake.source import Source, SourceError
from followers.intake.sources import source_of
from followers.relay.settings import read_settings as relay_settings
from followers.relay.sink import Sink, SinkError
from followers.relay.sinks import sink_of
from tests.followers.relay.batches import EPOCH, sales
from tests.harness.waiting import PATIENCE_S

NOWHERE = "http://127.0.0.1:1"
"""The ledger: sinks and sources do not ask it, nor does a command that cannot be read."""


def sink(prefix: str, to: str, settings: Mapping[str, object]) -> Sink:
    given = {
        "STOCKWIRE_URL": NOWHERE,
        "STOCKWIRE_RELAY_KEY": "sw_x",
        "STOCKWIRE_RELAY_TO": to,
        "STOCKWIRE_RELAY_PREFIX": prefix,
        **settings,
    }
    return sink_of(relay_settings(_texts(given)))


def source(prefix: str, url: str, settings: Mapping[str, object]) -> Source:
    given = {
        "STOCKWIRE_URL": NOWHERE,
        "STOCKWIRE_INTAKE_KEY": "sw_x",
        "STOCKWIRE_INTAKE_FROM": url,
        "STOCKWIRE_INTAKE_PREFIX": prefix,
        "STOCKWIRE_INTAKE_PORT": 0,
        **settings,
    }
    return source_of(intake_settings(_texts(given)))


async def sink_says(sink: Sink) -> SinkError | None:
    """None if a page of one shard was written, and stands there."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await sink.prepare(1)
            await sink.last(0)
            async with sink.writer(0) as writer:
                standing = await writer.claim(EPOCH)
                seq = 1 if standing is None else standing.seq + 1
                await writer.write(sales(seq, seq + 1, levels_apart=sink.levels_apart))
            now = await sink.last(0)
    except SinkError as error:
        return error
    assert now is not None
    assert now.seq == seq + 1
    return None


async def source_says(source: Source) -> SourceError | None:
    """None as soon as commands may come."""
    stopping = asyncio.Event()
    return await _run(source, stopping, stopping.set)


async def source_fails(source: Source) -> SourceError:
    """What is in the way of commands that have come."""
    error = await _run(source, asyncio.Event(), lambda: None)
    assert error is not None
    return error


async def _run(source: Source, stopping: asyncio.Event, reached: Callable[[], None]) -> SourceError | None:
    try:
        async with asyncio.timeout(PATIENCE_S), CommandLedger(NOWHERE, "sw_x", None) as ledger:
            await source.run(Applying(ledger, "test"), stopping, reached)
    except SourceError as error:
        return error
    return None


def _texts(settings: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in settings.items()}
