"""The how-tos of NATS and RabbitMQ, from their first block to their last, against real brokers."""

from pathlib import Path

import pytest

from cli.access import SCOPES as UP_SCOPES
from tests.docs.following import Follower
from tests.docs.running import Reader
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.brokers.rabbitmq import RabbitMQ
from tests.harness.servers import free_port
from tests.harness.source import ROOT
from tests.harness.system import System

PAGES = ROOT / "docs" / "how-to"

pytestmark = pytest.mark.usefixtures("processes")


async def test_the_page_on_nats_works_from_its_own_lines(nats: NatsServer, reader: Reader) -> None:
    reader.meant["127.0.0.1:4222"] = nats.address
    follower = Follower(reader, PAGES / "nats.md")
    await follower.follow()


async def test_the_page_on_rabbitmq_works_from_its_own_lines(rabbitmq: RabbitMQ, reader: Reader) -> None:
    exchange = "127.0.0.1:5672?exchange=stock"
    reader.meant |= {
        exchange: exchange.replace("5672", str(rabbitmq.port)) + f"&stream_port={rabbitmq.stream_port}",
        "127.0.0.1:5672": rabbitmq.address,
        "127.0.0.1:5552": f"127.0.0.1:{rabbitmq.stream_port}",
        "port=5552": f"port={rabbitmq.stream_port}",
    }
    await Follower(reader, PAGES / "rabbitmq.md").follow()


@pytest.fixture
async def reader(fresh_system: System, tmp_path: Path) -> Reader:
    reader = Reader.of_system(tmp_path, fresh_system, await fresh_system.key("up", *UP_SCOPES))
    reader.meant = {port: str(free_port()) for port in ("8078", "8077")}
    return reader
