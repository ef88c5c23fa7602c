"""Commands find the channels of the ledger whose key they have, and of no other; `doctor` says whether they answer."""

import asyncio
from pathlib import Path

import pytest

from cli.channels_api import CHANNELS, URL, URL_DEFAULT, ChannelsApi, published
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


def test_a_password_in_their_url_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be sent in the place of the key."""
    monkeypatch.setenv(URL, "https://me:secret@channels.example")
    monkeypatch.setenv("STOCKWIRE_URL", "https://ledger.example")
    monkeypatch.setenv("STOCKWIRE_API_KEY", "sw_key")
    with pytest.raises(SettingsError, match=f"{URL} has a user or password") as refused:
        ChannelsApi(tmp_path, CHANNELS)
    assert "secret" not in str(refused.value)


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
