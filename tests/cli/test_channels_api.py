"""Commands find the channels of the ledger whose key they have, and of no other; `doctor` says whether they answer."""

import asyncio
from pathlib import Path

import pytest

from cli.channels_api import URL_DEFAULT, published
from cli.checks.channels import channels
from cli.findings import FindingState
from server.settings.environment import SettingsError
from stockwire.settings import Settings
from tests.conftest import StartLedger
from tests.harness.servers import free_port


async def test_the_ledger_names_its_channels(start_ledger: StartLedger) -> None:
    ledger = await start_ledger(STOCKWIRE_CHANNELS_URL="https://channels.example/")
    assert await asyncio.to_thread(published, ledger.url) == "https://channels.example"
    none = await start_ledger()
    assert await asyncio.to_thread(published, none.url) == URL_DEFAULT


def test_who_finds_no_ledger_is_told_what_to_set() -> None:
    with pytest.raises(SettingsError, match=r"set STOCKWIRE_CHANNELS_URL$"):
        published(f"http://127.0.0.1:{free_port()}")


async def test_channels_that_do_not_answer_where_the_ledger_says_are_found(
    start_ledger: StartLedger, tmp_path: Path
) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    ledger = await start_ledger(STOCKWIRE_CHANNELS_URL=away)
    (found,) = await channels(tmp_path, {}, Settings(ledger.url, None))
    assert (found.check, found.state) == ("channels address", FindingState.FAILED)
    assert away in found.detail
    other = await start_ledger(STOCKWIRE_CHANNELS_URL=ledger.url)
    (found,) = await channels(tmp_path, {}, Settings(other.url, None))
    assert found.state is FindingState.GOOD
