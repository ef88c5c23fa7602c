"""Everything that breaks, one entry each: how it is struck and how it ends. One that misses says so."""

import asyncio
import errno
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import redis.asyncio

from ledger.migrations import SHARDS_DEFAULT
from tests.chaos.field import Field
from tests.harness.waiting import PATIENCE_S, wait_until
from wire.channels import shard_channel

ANSWERS_DROPPED = 0.3
DRIP_BYTES, DRIP_PAUSE_S = 64, 0.01
FRAME_BYTES = 3_000
"""A reset comes within so many bytes, in the middle of some frame."""
BUFFER_LIMIT = "64kb 32kb 1"
"""For pub/sub clients of the broker: a hub that does not read is cut off within a moment."""
CLOCK_JUMPS_S = (-3_600, -5, 7, 1_800)
DISK_CHUNK_BYTES = 1 << 20
BALLAST = "ballast"
NO_SPACE = "No space left on device"
OVERFLOWS_MAX = 2_000

SWITCHES_MAX = 60
"""Log segments that PostgreSQL may have in store before it needs room for another one."""

Work = Callable[[Field, random.Random], Awaitable[None]]


class Toothless(AssertionError):
    """The fault was struck, and nothing that it is meant to break took notice: the round would prove nothing."""


@dataclass(frozen=True, slots=True)
class Fault:
    """``hold_s``: shortest and longest. ``impossible``: why it cannot be struck here, or nothing."""

    name: str
    strike: Work
    end: Work
    hold_s: tuple[float, float] = (0.5, 2.5)
    impossible: Callable[[Field], str] = lambda _: ""


async def _nothing(_field: Field, _chance: random.Random) -> None:
    pass


# --- processes


async def _kill_postgres(field: Field, _: random.Random) -> None:
    await asyncio.to_thread(field.postgres.kill)


async def _start_postgres(field: Field, _: random.Random) -> None:
    await asyncio.to_thread(field.postgres.start)


async def _stop_postgres(field: Field, _: random.Random) -> None:
    field.postgres.signal_all(signal.SIGSTOP)


async def _continue_postgres(field: Field, _: random.Random) -> None:
    field.postgres.signal_all(signal.SIGCONT)


async def _kill_valkey(field: Field, _: random.Random) -> None:
    await asyncio.to_thread(field.valkey.kill)


async def _start_valkey(field: Field, _: random.Random) -> None:
    await asyncio.to_thread(field.valkey.start)


async def _stop_valkey(field: Field, _: random.Random) -> None:
    field.valkey.pause()


async def _continue_valkey(field: Field, _: random.Random) -> None:
    field.valkey.resume()


async def _kill_ledger(field: Field, chance: random.Random) -> None:
    chance.choice(field.system.ledgers).kill()


async def _kill_hub(field: Field, chance: random.Random) -> None:
    chance.choice(field.system.hubs).kill()


async def _restart_killed(field: Field, _: random.Random) -> None:
    for process in (*field.system.ledgers, *field.system.hubs):
        if not process.running:
            await process.restart()


async def _stop_ledger(field: Field, chance: random.Random) -> None:
    chance.choice(field.system.ledgers).pause()


async def _stop_hub(field: Field, chance: random.Random) -> None:
    chance.choice(field.system.hubs).pause()


async def _continue_stopped(field: Field, _: random.Random) -> None:
    for process in (*field.system.ledgers, *field.system.hubs):
        process.resume()


# --- cables


async def _cut_database(field: Field, _: random.Random) -> None:
    field.database.refuse()


async def _stall_database(field: Field, _: random.Random) -> None:
    field.database.stall()


async def _half_open_broker(field: Field, _: random.Random) -> None:
    field.broker.half_open()


async def _cut_broker(field: Field, _: random.Random) -> None:
    field.broker.refuse()


async def _cut_watchers(field: Field, _: random.Random) -> None:
    for cable in field.hubs:
        cable.cut()


async def _stall_watchers(field: Field, chance: random.Random) -> None:
    chance.choice(field.hubs).down.stall()


async def _half_open_watchers(field: Field, chance: random.Random) -> None:
    chance.choice(field.hubs).half_open()


async def _drip_watchers(field: Field, chance: random.Random) -> None:
    chance.choice(field.hubs).down.drip(DRIP_BYTES, DRIP_PAUSE_S)


async def _reset_in_frame(field: Field, chance: random.Random) -> None:
    for cable in field.hubs:
        cable.down.reset_after(chance.randrange(1, FRAME_BYTES))


async def _drop_answers(field: Field, _: random.Random) -> None:
    for cable in field.ledgers:
        cable.down.dropped = 0
        cable.down.drop(ANSWERS_DROPPED)


async def _answer_again(field: Field, chance: random.Random) -> None:
    async def dropped() -> bool:
        return any(cable.down.dropped for cable in field.ledgers)

    try:
        await wait_until(dropped, PATIENCE_S)
    except AssertionError:
        raise Toothless("no answer was dropped") from None
    await _heal_cables(field, chance)


async def _heal_cables(field: Field, _: random.Random) -> None:
    """What looked alive and was not is cut, as the end of such an outage looks to both sides."""
    dead = [cable for cable in field.cables if cable.up.swallowing or cable.down.swallowing]
    for cable in field.cables:
        cable.heal()
    for cable in dead:
        cable.cut()


# --- the machine


async def _overflow(field: Field, chance: random.Random) -> None:
    """Until the broker has cut off the hub that does not read."""
    async with _broker(field) as broker:
        before = await _cut_off(broker)
        await broker.config_set("client-output-buffer-limit", f"pubsub {BUFFER_LIMIT}")
        await _stop_hub(field, chance)
        padding = b"x" * 1_000
        for _ in range(OVERFLOWS_MAX):
            for shard in range(SHARDS_DEFAULT):  # unreadable to hubs, and on their channels
                await broker.publish(shard_channel(field.system.channel_prefix, shard), padding)
            if await _cut_off(broker) > before:
                return
    raise Toothless("the broker kept the hub that does not read")


async def _end_overflow(field: Field, chance: random.Random) -> None:
    await _continue_stopped(field, chance)
    async with _broker(field) as broker:
        await broker.config_set("client-output-buffer-limit", "pubsub 32mb 8mb 60")


async def _cut_off(broker: redis.asyncio.Redis) -> int:
    return int((await broker.info("stats"))["client_output_buffer_limit_disconnections"])


@asynccontextmanager
async def _broker(field: Field) -> AsyncIterator[redis.asyncio.Redis]:
    client = redis.asyncio.Redis.from_url(field.valkey.url, socket_timeout=5)
    try:
        yield client
    finally:
        await client.aclose()


async def _fill_disk(field: Field, _: random.Random) -> None:
    """Until PostgreSQL has found out, which takes it beyond the log segments that it has in store."""
    assert field.disk is not None
    log = field.disk / "postgres.log"
    before = await asyncio.to_thread(log.read_text)
    await asyncio.to_thread(_write_ballast, field.disk / BALLAST)
    for _try in range(SWITCHES_MAX):
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await field.postgres.query("select pg_logical_emit_message(true, '', repeat('x', 100)), pg_switch_wal()")
        if NO_SPACE in (await asyncio.to_thread(log.read_text))[len(before) :] or not field.postgres.running:
            return
    raise Toothless("the disk is full, and PostgreSQL goes on")


def _write_ballast(path: Path) -> None:
    """To the last byte: PostgreSQL cannot add to its log."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(os.urandom(DISK_CHUNK_BYTES))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


async def _free_disk(field: Field, _: random.Random) -> None:
    """Room again; PostgreSQL, which ends itself over a log that it cannot write, is started as a supervisor would."""
    assert field.disk is not None
    (field.disk / BALLAST).unlink()

    async def answers() -> bool:
        """It may end itself a moment after it was seen running."""
        if not field.postgres.running:
            await asyncio.to_thread(field.postgres.kill)
            await asyncio.to_thread(field.postgres.start)
        return bool(await field.postgres.query("select pg_logical_emit_message(true, '', 'room')"))

    await wait_until(answers, PATIENCE_S, what="PostgreSQL writes again", swallow=Exception)


async def _jump_clock(field: Field, chance: random.Random) -> None:
    assert field.clock is not None
    field.clock.write_text(f"{chance.choice(CLOCK_JUMPS_S):+d}\n")


async def _right_clock(field: Field, _: random.Random) -> None:
    assert field.clock is not None
    field.clock.write_text("+0\n")


def _no_disk(field: Field) -> str:
    return "" if field.disk else "a small file system cannot be mounted here (it takes root)"


def _no_clock(field: Field) -> str:
    return "" if field.clock else "libfaketime is not installed (Debian: apt-get install faketime)"


DATABASE_KILLED = Fault("kill -9 PostgreSQL", _kill_postgres, _start_postgres, (0.2, 1.5))
FAULTS = [
    DATABASE_KILLED,
    Fault("SIGSTOP PostgreSQL", _stop_postgres, _continue_postgres),
    Fault("kill -9 Valkey", _kill_valkey, _start_valkey),
    Fault("SIGSTOP Valkey", _stop_valkey, _continue_valkey),
    Fault("kill -9 a ledger", _kill_ledger, _restart_killed, (0.2, 1.5)),
    Fault("SIGSTOP a ledger", _stop_ledger, _continue_stopped),
    Fault("kill -9 a hub", _kill_hub, _restart_killed, (0.2, 1.5)),
    Fault("SIGSTOP a hub", _stop_hub, _continue_stopped),
    Fault("database cut", _cut_database, _heal_cables),
    Fault("database stalled", _stall_database, _heal_cables),
    Fault("broker cut", _cut_broker, _heal_cables),
    Fault("broker half open", _half_open_broker, _heal_cables, (2.5, 4.0)),
    Fault("watchers cut", _cut_watchers, _nothing, (0.2, 0.5)),
    Fault("watchers stalled", _stall_watchers, _heal_cables),
    Fault("watchers half open", _half_open_watchers, _heal_cables),
    Fault("watchers dripping", _drip_watchers, _heal_cables),
    Fault("reset in mid-frame", _reset_in_frame, _heal_cables),
    Fault("30% of answers dropped", _drop_answers, _answer_again, (2.0, 4.0)),
    Fault("broker buffer overflow", _overflow, _end_overflow, (2.0, 3.0)),
    Fault("disk full", _fill_disk, _free_disk, impossible=_no_disk),
    Fault("clock jumps", _jump_clock, _right_clock, impossible=_no_clock),
]
