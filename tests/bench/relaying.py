"""A broker of each kind, and a relay that writes to it, for rows of the bench."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from followers.exporter.process import SCOPES
from tests.bench.shop import Shop
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.brokers.noida import Noida
from tests.harness.brokers.rabbitmq import RabbitMQ
from tests.harness.processes import ServerProcess, clean_environment

KINDS = ("kafka", "nats", "rabbitmq")
CAUGHT_UP_S = 900.0
"""A relay that is as slow as one message after the other takes less."""
LOOK_S = 1.0
"""A look takes the relay some 10 ms: it is to be little of what is measured."""
_VALUE = re.compile(r"^(stockwire_relay_\w+)(?:\{.*\})? (\S+)$", re.MULTILINE)


@contextmanager
def broker(kind: str, folder: Path) -> Iterator[str]:
    """Of its own, for as long as it lasts. The URL as a relay is told it."""
    if kind == "nats":
        with NatsServer(folder / "nats") as nats:
            yield nats.url
    elif kind == "kafka":
        with Noida(folder / "noida") as noida:
            yield f"kafka://{noida.address}"
    else:
        with RabbitMQ(folder / "rabbitmq") as rabbitmq:
            yield f"rabbitmq://127.0.0.1:{rabbitmq.stream_port}"


@asynccontextmanager
async def relay(shop: Shop, url: str, prefix: str) -> AsyncIterator[ServerProcess]:
    settings: Mapping[str, object] = {
        "STOCKWIRE_URL": shop.system.ledger_url,
        "STOCKWIRE_RELAY_KEY": await shop.system.key("relay", *SCOPES),
        "STOCKWIRE_RELAY_TO": url,
        "STOCKWIRE_RELAY_PREFIX": prefix,
        "STOCKWIRE_RELAY_PORT": 0,
    }
    process = ServerProcess("relay", clean_environment(settings), shop.system.folder, ["-m", "followers.relay"])
    try:
        await process.start()
        yield process
        process.check_log()
    finally:
        await process.stop()


def fresh_prefix() -> str:
    return f"r{secrets.token_hex(4)}"


async def head(shop: Shop) -> int:
    """Of all shards together: how many events the log has."""
    async with shop.http() as http:
        return sum(one["head"] for one in (await http.get("/v1/shards")).json()["shards"])


async def caught_up(process: ServerProcess, events: int) -> None:
    """Until so many are at the broker."""
    async with asyncio.timeout(CAUGHT_UP_S), httpx.AsyncClient(trust_env=False, timeout=30) as http:
        while True:
            found = _sums((await http.get(f"{process.admin}/metrics")).text)
            if found.get("stockwire_relay_seq", 0) >= events:
                return
            await asyncio.sleep(LOOK_S)


def _sums(text: str) -> dict[str, float]:
    """Of all shards together."""
    found: dict[str, float] = {}
    for name, value in _VALUE.findall(text):
        found[name] = found.get(name, 0) + float(value)
    return found
