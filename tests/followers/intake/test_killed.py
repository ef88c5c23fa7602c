"""Intake and broker killed again and again, a ledger that restarts: each command has one effect and one answer.

A whole campaign is 100,000 commands, each delivered one to three times, and 100 kills of the intake, five of them with
its broker, for each broker; a fifth of it, as ``make test`` has, would still be minutes of waiting for starts: there
stand a few of each.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from followers.intake.process import SCOPES
from ledger.database.audit import audit
from ledger.database.engine import create_engine
from tests.followers.intake.poisoned import POISON
from tests.followers.intake.queues import KafkaQueue, NatsQueue, Queue, RabbitMQQueue, Told
from tests.followers.intake.running import Sent, sale
from tests.harness.brokers.broker import Broker
from tests.harness.processes import ServerProcess, clean_environment
from tests.harness.servers import free_port
from tests.harness.size import FIFTH, SIZE
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api

WHOLE = SIZE.share > FIFTH
COMMANDS = SIZE.of(100_000) if WHOLE else 300
KILLS = SIZE.of(100) if WHOLE else 3
LOCATION = "berlin"
SKUS = [f"S{number}" for number in range(20)]
HOT = 0.2
"""Of all commands: those of one sku."""
STOCKED = COMMANDS // 40
"""Of each sku: too little for the hot one, so that some are refused."""
BETWEEN = 0.8 * COMMANDS * 2 / KILLS
"""Deliveries from a start to a kill at most: at the last one some are left."""
CHUNK = 1_000
"""Commands that are sent together."""
LOOK_S = 3.0 if WHOLE else 0.5
"""Between two looks at what is told: each takes time of the broker."""
WITHIN_S = 120 + COMMANDS / 10 + 30 * KILLS
"""For a machine that others keep busy."""

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.usefixtures("campaign"), pytest.mark.timeout(SIZE.timeout_s + WITHIN_S)]


@contextmanager
def _broker(kind: str, folder: Path, prefix: str) -> Iterator[tuple[Broker, Queue]]:
    """One of its own. Imported here: each has a library."""
    if kind == "apache_kafka":
        from tests.harness.brokers.apache_kafka import ApacheKafka, need_apache_kafka

        need_apache_kafka()
        with ApacheKafka(folder) as kafka:
            yield kafka, KafkaQueue(kafka.address, prefix)
    elif kind == "rabbitmq":
        from tests.harness.brokers.rabbitmq import RabbitMQ, need_rabbitmq

        need_rabbitmq()
        with RabbitMQ(folder) as rabbitmq:
            yield rabbitmq, RabbitMQQueue(rabbitmq.address, prefix)
    else:
        from tests.harness.brokers.nats_server import NatsServer

        with NatsServer(folder) as nats:
            yield nats, NatsQueue(nats.address, prefix)


KINDS = ["nats", *(["rabbitmq", "apache_kafka"] if WHOLE else [])]
"""Each make test has the quickest. Not noida-db, which keeps nothing of its last second: Kafka is killed in whole
campaigns."""


@pytest.mark.parametrize("kind", KINDS)
async def test_each_command_has_one_effect_and_one_answer_in_order_through_kills(
    kind: str, process_system: ProcessSystem, server_folder: Path, stream_prefix: str
) -> None:
    chance = random.Random(11)
    system = process_system
    ledger = await system.start_ledger()
    once = [
        sale(str(number), LOCATION, SKUS[0] if chance.random() < HOT else chance.choice(SKUS))
        for number in range(COMMANDS)
    ]
    # NATS gives out what a dead client had only after seconds: five deaths of it are for the whole campaign
    poison = [Sent({**sale("p", LOCATION, SKUS[1]).attributes}, b'{"poison": 1}')] if kind != "nats" or WHOLE else []
    nonsense = [Sent({"id": "n", "partitionkey": "x"}, b"\xff\x00nonsense")]
    queued = _queued(once, chance)
    deliveries, exactly = len(queued), kind == "apache_kafka"
    for one in [*poison, *nonsense]:
        queued.insert(len(queued) // 2, one)
    with _broker(kind, server_folder / f"{kind}-of-intake", stream_prefix) as (broker, queue):
        await queue.make()
        async with Api(ledger.url, await system.admin_key()) as api:
            for sku in SKUS:
                await api.stock(LOCATION, sku, STOCKED)
        taken = server_folder / f"{kind}-taken"
        intake = await _intake(system, queue, stream_prefix, taken)
        supervisor = asyncio.create_task(_supervise(intake))
        try:
            broker_is_up = asyncio.Lock()
            sending = asyncio.create_task(_send(queue, queued, broker_is_up))
            kills = KILLS if WHOLE or not poison else 1  # the poison's own are enough
            for kill in range(kills):
                await _takes(taken, chance.uniform(1, BETWEEN))
                log.info("kill %s of %s at %s taken", kill + 1, kills, taken.stat().st_size)
                if kill == kills // 3:
                    await ledger.restart()
                if intake.running:
                    intake.kill()
                if kill in range(kills // 2, kills, 10):
                    async with broker_is_up:
                        broker.kill()
                        await broker.restart()
            await sending
            await _all_told(queue, once, deliveries if exactly else 0, len(poison) + len(nonsense))
        finally:
            supervisor.cancel()
            await asyncio.wait([supervisor])
            assert not intake.running or await intake.stop() == 0
        results, dead = await queue.results(), await queue.dead()
    intake.check_log()
    await _check_levels(system, once, results)
    answers = {(one.headers["causationid"], one.value) for one in results}
    assert Counter(id_ for id_, _ in answers) == Counter(one.id for one in once), "one answer each"
    assert not exactly or len(results) == deliveries, "and told once for each delivery"
    assert {(one.value, one.headers["id"]) for one in dead} == {(one.data, one.id) for one in [*poison, *nonsense]}
    assert all(orjson.loads(one.headers["stockwire-problem"])["detail"] for one in dead)
    assert POISON in b"".join(one.value for one in dead) or not poison


def _queued(once: list[Sent], chance: random.Random) -> list[Sent]:
    """Each one to three times, the first copies in order."""
    queued: list[Sent] = []
    for one in once:
        queued.append(one)
        for _ in range(chance.randrange(3)):
            queued.append(one if chance.random() < 0.5 or len(queued) < 2 else _earlier(queued, chance))
    return queued


def _earlier(queued: list[Sent], chance: random.Random) -> Sent:
    return queued[-1 - chance.randrange(min(len(queued), 20))]


async def _send(queue: Queue, queued: list[Sent], broker_is_up: asyncio.Lock) -> None:
    for at in range(0, len(queued), CHUNK):
        async with broker_is_up:
            await queue.send(queued[at : at + CHUNK])


async def _intake(system: ProcessSystem, queue: Queue, prefix: str, taken: Path) -> ServerProcess:
    settings = {
        "STOCKWIRE_URL": system.ledger_url,
        "STOCKWIRE_INTAKE_KEY": await system.key("intake", *SCOPES),
        "STOCKWIRE_INTAKE_FROM": queue.url,
        "STOCKWIRE_INTAKE_PREFIX": prefix,
        "STOCKWIRE_INTAKE_PORT": free_port(),
    }
    arguments = ["-m", "tests.followers.intake.poisoned", str(taken)]
    return ServerProcess("intake", clean_environment(settings), system.folder, arguments)


async def _supervise(intake: ServerProcess) -> None:
    """Whenever it has ended it is started again, however that was."""
    while True:
        if not intake.running:
            intake.launch()
        await asyncio.sleep(0.05)


async def _takes(taken: Path, more: float) -> None:
    """Until so many commands more are taken."""

    def size() -> int:
        return taken.stat().st_size if taken.exists() else 0

    async def enough() -> bool:
        return size() >= until

    until = size() + more
    await wait_until(enough, WITHIN_S, what="commands are taken")


async def _all_told(queue: Queue, once: list[Sent], results: int, dead: int) -> None:
    """Of each command one, and so many in all. Of what it has seen it looks at nothing again."""
    missing = {one.id for one in once}
    seen = 0

    async def told() -> bool:
        nonlocal seen
        await asyncio.sleep(LOOK_S)
        found = await queue.results()
        missing.difference_update(one.headers["causationid"] for one in found[seen:])
        seen = len(found)
        return not missing and seen >= results and len({one.headers["id"] for one in await queue.dead()}) >= dead

    await wait_until(told, WITHIN_S, what="all results", swallow=Exception)


async def _check_levels(system: ProcessSystem, once: list[Sent], results: list[Told]) -> None:
    engine = create_engine(system.database_url, pool_size=1, command_timeout_s=None)  # of 100,000 sales
    try:
        async with engine.connect() as connection:
            assert await audit(connection) == []
            rows = await connection.exec_driver_sql(
                "select sku, reference from stock_event where kind = 'sale' order by sku, version"
            )
            sold = [(row.sku, row.reference) for row in rows]
    finally:
        await engine.dispose()
    done = {one.headers["causationid"] for one in results if orjson.loads(one.value)["status"] == 201}
    assert 0 < len(done) < len(once), "some are done, and some refused"
    wanted = [(orjson.loads(one.data)["sku"], one.id) for one in once if one.id in done]
    assert sold == sorted(wanted, key=lambda pair: pair[0]), "each once, in the order of the queue"
