"""An intake that is to end has ended before whoever runs it loses patience, also beside a Kafka that hangs."""

import socket
from pathlib import Path

import pytest

from followers.intake.settings import PORT_DEFAULT, read_settings
from tests.followers.intake.queues import KafkaQueue
from tests.followers.intake.running import running, sale, until_ready
from tests.harness.brokers.noida import Noida, need_noida
from tests.harness.system import ResidentSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api

MANY, SKUS = 100, 20
PARTITIONS = 8
"""Each was begun in, so each is given back by a transaction."""

pytestmark = pytest.mark.usefixtures("processes")


async def test_it_ends_in_time_beside_a_broker_that_hangs(
    system: ResidentSystem, stream_prefix: str, server_folder: Path
) -> None:
    """One after the other the partitions took longer than any patience."""
    need_noida()
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for number in range(SKUS):
            await api.stock("berlin", f"S{number}", MANY)
    with Noida(server_folder / "hangs") as broker:
        queue = KafkaQueue(broker.address, stream_prefix, PARTITIONS)
        await queue.make()
        async with running(system, STOCKWIRE_INTAKE_FROM=queue.url, STOCKWIRE_INTAKE_PREFIX=stream_prefix) as intake:
            await until_ready(intake)
            await queue.send([sale(str(number), "berlin", f"S{number % SKUS}") for number in range(MANY)])

            async def told() -> bool:
                return len(await queue.results()) == MANY

            await wait_until(told, what="all are told")
            broker.pause()
        broker.resume()


def test_a_host_whose_name_does_not_come_again_is_no_member_that_is_waited_for() -> None:
    settings = {
        "STOCKWIRE_URL": "http://127.0.0.1:8080",
        "STOCKWIRE_INTAKE_KEY": "stockwire_" + "a" * 32,
        "STOCKWIRE_INTAKE_FROM": "kafka://127.0.0.1:9092",
    }
    assert read_settings(settings).instance == f"{socket.gethostname()}-{PORT_DEFAULT}"
    assert read_settings({**settings, "STOCKWIRE_INTAKE_PORT": "0"}).instance == ""
    assert read_settings({**settings, "STOCKWIRE_INTAKE_EPHEMERAL": "1"}).instance == ""
