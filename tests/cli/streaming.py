"""A `stockwire up --stream`, and what the line that it prints reads."""

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

from stockwire import AsyncClient
from tests.cli.running import RunningUp, gone
from tests.harness.waiting import PATIENCE_S

SAMPLE = "85123A"


@contextmanager
def streaming(folder: Path, kind: str, settings: Mapping[str, str]) -> Iterator[RunningUp]:
    """Leaves no process behind."""
    options = ("--stream", kind, "--no-console", "--hubs", "1", "--replay", "0")
    up = RunningUp(folder, *options, settings=settings)
    try:
        yield up.start()
        children = up.processes()
    finally:
        status = up.stop()
    assert status == 0, up.output
    assert gone(children) == []


def listened(up: RunningUp, words: str) -> dict[str, Any]:
    """The first message with these words that the printed line prints."""
    line = up.printed_line("stockwire listen").replace("listen", "listen --from-start")
    with subprocess.Popen(line.split(), env=up.environment(), stdout=subprocess.PIPE, text=True) as listening:
        assert listening.stdout is not None
        timer = Timer(PATIENCE_S, listening.kill)
        timer.start()
        try:
            message = next((line for line in listening.stdout if words in line), None)
        finally:
            timer.cancel()
            listening.send_signal(signal.SIGTERM)
    assert message is not None, "it ended before it was told"
    assert listening.wait(PATIENCE_S) == 0
    found: dict[str, Any] = json.loads(message)
    return found


async def sold(up: RunningUp, note: str) -> dict[str, Any]:
    """What the printed line shows of it."""
    async with AsyncClient(up.run["ledger"], up.run["key"]) as client:
        await client.stock.sell(SAMPLE, "shop", reference=note)
    return listened(up, note)
