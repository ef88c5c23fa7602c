"""`stockwire listen` says that its broker is gone, and ends: it went on in silence, as if nothing were sold."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import nats
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its stubs do not re-export

from tests.harness.brokers.broker import Broker
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.brokers.noida import Noida, need_noida
from tests.harness.processes import ServerProcess, clean_environment
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")


async def into_kafka(address: str) -> None:
    need_noida()
    admin = AdminClient({"bootstrap.servers": address})
    await asyncio.to_thread(admin.create_topics([NewTopic("gone.events", 1, 1)])["gone.events"].result, PATIENCE_S)
    producer = Producer({"bootstrap.servers": address})
    producer.produce("gone.events", b'{"on_hand":3}')
    assert await asyncio.to_thread(producer.flush, PATIENCE_S) == 0


async def into_nats(address: str) -> None:
    client = await nats.connect(address)
    await client.jetstream().add_stream(name="gone-0", subjects=["gone.0.>"])
    await client.jetstream().publish("gone.0.berlin.A", b'{"on_hand":3}')
    await client.close()


@pytest.mark.parametrize(
    ("kind", "broker_of", "put"), [("kafka", Noida, into_kafka), ("nats", NatsServer, into_nats)], ids=["kafka", "nats"]
)
async def test_it_ends_when_its_broker_does_not_answer_any_more(
    kind: str,
    broker_of: Callable[[Path], Broker],
    put: Callable[[str], Awaitable[None]],
    server_folder: Path,
    tmp_path: Path,
) -> None:
    """One that hangs: one that was killed says so itself."""
    with broker_of(server_folder / f"gone-{kind}") as broker:
        await put(broker.address)
        url = f"{kind}://{broker.address}"
        settings = {"STOCKWIRE_RELAY_TO": url, "STOCKWIRE_RELAY_PREFIX": "gone"}
        arguments = ["-m", "followers.listener", "--from-start"]
        process = ServerProcess("listen", clean_environment(settings), tmp_path, arguments)
        process.launch()
        try:
            printed = tmp_path / "listen.stdout"

            async def heard() -> bool:
                return "on_hand" in printed.read_text()

            await wait_until(heard, what="what stands there is printed")
            broker.pause()
            assert await process.wait() == 1
        finally:
            process.kill()
    assert f"{url} does not answer" in process.stderr()
