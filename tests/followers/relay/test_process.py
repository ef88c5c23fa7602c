"""`stockwire relay` as a process: it starts, ends when it is told to, and says in one line why it does not start."""

from pathlib import Path

import pytest

from server.settings.environment import EXIT_CONFIG
from tests.followers.relay.running import settings_of
from tests.harness.brokers.noida import Noida
from tests.harness.metrics import await_metric
from tests.harness.processes import relay_process
from tests.harness.system import ResidentSystem
from tests.ledger.api import Api

pytestmark = pytest.mark.usefixtures("processes")


async def test_it_writes_until_it_is_told_to_stop(system: ResidentSystem, kafka: Noida, stream_prefix: str) -> None:
    await system.start_ledger()
    settings = await settings_of(system, f"kafka://{kafka.address}", stream_prefix)
    process = relay_process("relay", system.folder, settings)
    try:
        await process.start()
        async with Api(system.ledger_url, await system.admin_key()) as api:
            await api.stock("berlin", "A", 10)
        messages = f'stockwire_relay_messages_total{{sink="kafka://{stream_prefix}"}}'
        await await_metric(process, messages, 2)  # the event and its level
        assert await process.stop() == 0
        process.check_log()
    finally:
        process.kill()


async def test_it_waits_for_a_broker_that_is_away_and_ends_meanwhile(
    system: ResidentSystem, stream_prefix: str
) -> None:
    await system.start_ledger()
    process = relay_process("relay", system.folder, await settings_of(system, "kafka://127.0.0.1:1", stream_prefix))
    try:
        await process.start()
        await await_metric(process, f'stockwire_relay_sink_up{{sink="kafka://{stream_prefix}"}}', 0)
        assert await process.stop() == 0
        process.check_log()
    finally:
        process.kill()


async def test_without_a_broker_it_does_not_start(tmp_path: Path) -> None:
    process = relay_process("relay", tmp_path, {"STOCKWIRE_URL": "http://127.0.0.1:1", "STOCKWIRE_RELAY_KEY": "sw_x"})
    process.launch()
    assert await process.wait() == EXIT_CONFIG
    assert process.stderr() == "stockwire: STOCKWIRE_RELAY_TO is not set: set STOCKWIRE_RELAY_TO=...\n"
