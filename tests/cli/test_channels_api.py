"""Commands find the channels of the ledger whose key they have, and of no other."""

import asyncio

import pytest

from cli.channels_api import URL_DEFAULT, published
from server.settings.environment import SettingsError
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
