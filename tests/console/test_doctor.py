"""The doctor beside the console: whatever it does, it fills no memory and is told no key."""

import asyncio
import json
from pathlib import Path

import pytest

from console.following.doctor import Doctor
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.usefixtures("processes")


async def asked(folder: Path, program: str) -> Doctor:
    """Once, of this program in its place."""
    place = folder / "stockwire"
    place.write_text(program)
    doctor = Doctor(place, None, lambda: True)

    async def is_answered() -> bool:
        return doctor.found is not None or doctor.why_not not in waiting

    waiting = (doctor.why_not, "it is at work")
    running = asyncio.ensure_future(doctor.run())
    try:
        await wait_until(is_answered)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return doctor


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_a_report_without_an_end_is_cut_off(tmp_path: Path, stream: str) -> None:
    endless = f"import sys\nwhile True: sys.{stream}.write('x' * 65536)"
    assert (await asked(tmp_path, endless)).why_not == "it says more than 1,048,576 bytes"


async def test_it_is_not_told_the_key_of_the_console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STOCKWIRE_CONSOLE_KEY", "STOCKWIRE_CONSOLE_KEY_FILE", "STOCKWIRE_URL"):
        monkeypatch.setenv(name, "told")
    says = "import json, os; print(json.dumps({name: os.environ.get(name) for name in %r}))"
    names = ["STOCKWIRE_CONSOLE_KEY", "STOCKWIRE_CONSOLE_KEY_FILE", "STOCKWIRE_URL"]
    found = (await asked(tmp_path, says % names)).found
    assert json.dumps(found) == json.dumps({**dict.fromkeys(names), "STOCKWIRE_URL": "told"})
