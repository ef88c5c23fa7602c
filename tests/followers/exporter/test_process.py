"""`stockwire exporter` as a process: it starts, ends, and says in one line why it does not start."""

from pathlib import Path

import pytest

from server.settings.environment import EXIT_CONFIG
from tests.followers.exporter.running import settings_of
from tests.harness.metrics import await_metric
from tests.harness.processes import exporter_process
from tests.harness.system import ResidentSystem


@pytest.mark.usefixtures("processes")
async def test_it_follows_a_ledger_until_it_is_told_to_stop(system: ResidentSystem) -> None:
    await system.start_ledger()
    process = exporter_process("exporter", system.folder, await settings_of(system))
    try:
        await process.start()
        await await_metric(process, "stockwire_exporter_feed_up", 1)
        assert await process.stop() == 0
        process.check_log()
    finally:
        process.kill()


@pytest.mark.usefixtures("processes")
async def test_a_key_that_no_ledger_knows_ends_it_with_the_fix(system: ResidentSystem) -> None:
    await system.start_ledger()
    settings = await settings_of(system, STOCKWIRE_EXPORTER_KEY="sw_none_none")
    process = exporter_process("exporter", system.folder, settings)
    process.launch()
    try:
        assert await process.wait() == EXIT_CONFIG
    finally:
        process.kill()
    (line,) = [line for line in process.stderr().splitlines() if line.startswith("stockwire: ")]
    assert "make one with `stockwire key create exporter --scope feed --scope 'stock:read:*'`" in line


@pytest.mark.usefixtures("processes")
async def test_without_a_key_it_does_not_start(tmp_path: Path) -> None:
    process = exporter_process("exporter", tmp_path, {"STOCKWIRE_URL": "http://127.0.0.1:1"})
    process.launch()
    assert await process.wait() == EXIT_CONFIG
    assert process.stderr() == "stockwire: STOCKWIRE_EXPORTER_KEY is not set: set STOCKWIRE_EXPORTER_KEY=...\n"
