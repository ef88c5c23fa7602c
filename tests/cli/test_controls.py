"""Whatever fails under a key of `stockwire up` is said, and ends nothing else."""

import asyncio
import io
import logging
import subprocess
from pathlib import Path

import pytest

from cli.launch import Launch, Watchdog
from cli.terminal.controls import Controls
from cli.terminal.screen import Screen


class BrokenWatchdog(Watchdog):
    def spawn(self, launch: Launch) -> subprocess.Popen[bytes]:
        raise RuntimeError(f"nobody thought of this: {launch.name}")


async def test_a_failure_that_nobody_thought_of_is_logged_and_the_next_key_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shown = io.StringIO()
    with caplog.at_level(logging.ERROR, "stockwire.up"):
        async with asyncio.TaskGroup() as tasks:
            controls = Controls(tmp_path, BrokenWatchdog(), Screen(shown), tasks, 2, lambda: None)
            controls.pressed("f")
            controls.pressed("k")
    assert "an action has failed action=flash sale" in caplog.text
    assert "RuntimeError: nobody thought of this: flash-sale" in caplog.text
    assert f"! kill a hub: no `stockwire up` runs in {tmp_path}" in shown.getvalue()
