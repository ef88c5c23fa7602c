"""Commands that wait at a broker of each kind, and an intake that takes them, for rows of the bench."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from followers.intake.process import SCOPES
from followers.intake.sources.kafka_reader import PARTITIONS
from tests.bench.relaying import fresh_prefix
from tests.bench.shop import LOCATION, Shop
from tests.followers.intake.queues import KafkaQueue, NatsQueue, Queue, RabbitMQQueue
from tests.followers.intake.running import Sent, sale
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.brokers.noida import Noida
from tests.harness.brokers.rabbitmq import RabbitMQ
from tests.harness.processes import ServerProcess, clean_environment

SENT = 10_000
"""Commands that are sent to a broker at once."""
WARM = 0.1
"""Of the commands: from there on they are timed."""
TAKEN_S = 900.0
LOOK_S = 0.5
"""A look takes the intake as much as some ten commands."""


@contextmanager
def queue(kind: str, folder: Path) -> Iterator[tuple[Queue, str]]:
    """At a broker of its own, and the prefix of its names."""
    prefix = fresh_prefix()
    if kind == "nats":
        with NatsServer(folder / "nats") as nats:
            yield NatsQueue(nats.address, prefix), prefix
    elif kind == "kafka":
        with Noida(folder / "noida") as noida:
            yield KafkaQueue(noida.address, prefix, PARTITIONS), prefix
    else:
        with RabbitMQ(folder / "rabbitmq") as rabbitmq:
            yield RabbitMQQueue(rabbitmq.address, prefix), prefix


async def fill(queue: Queue, skus: Sequence[str], count: int) -> None:
    """With so many sales."""
    for begin in range(0, count, SENT):
        await queue.send(sales(skus, range(begin, min(begin + SENT, count))))


def sales(skus: Sequence[str], numbers: Iterable[int]) -> list[Sent]:
    """Of one sku after the other; those of other skus have other ids."""
    return [sale(f"{skus[0]}-{number}", LOCATION, skus[number % len(skus)]) for number in numbers]


@asynccontextmanager
async def intake(shop: Shop, url: str, prefix: str) -> AsyncIterator[ServerProcess]:
    settings: dict[str, object] = {
        "STOCKWIRE_URL": shop.system.ledger_url,
        "STOCKWIRE_INTAKE_KEY": await shop.system.key("intake", *SCOPES),
        "STOCKWIRE_INTAKE_FROM": url,
        "STOCKWIRE_INTAKE_PREFIX": prefix,
        "STOCKWIRE_INTAKE_PORT": 0,
    }
    process = ServerProcess("intake", clean_environment(settings), shop.system.folder, ["-m", "followers.intake"])
    try:
        await process.start()
        yield process
        process.check_log()
    finally:
        await process.stop()


async def done(process: ServerProcess, count: int) -> int:
    """Until so many commands are: how many that are then. Raises AssertionError for any that came to another end."""
    async with asyncio.timeout(TAKEN_S), httpx.AsyncClient(trust_env=False, timeout=30) as http:
        while True:
            text = (await http.get(f"{process.admin}/metrics")).text
            values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("stockwire_intake_"))
            others = ('stockwire_intake_answered_total{outcome="refused"}', "stockwire_intake_dead_total")
            assert not sum(float(values[name]) for name in others), values
            found = int(float(values['stockwire_intake_answered_total{outcome="done"}']))
            if found >= count:
                return found
            await asyncio.sleep(LOOK_S)
