"""Which system a command means, when its secrets are in files."""

from pathlib import Path

import pytest

from cli import keys
from cli.data_folder import DataFolder
from cli.named_system import database_url, system_variables
from cli.settings import UpSettings
from server.settings.environment import SettingsError


def test_a_file_of_the_environment_goes_before_what_the_data_folder_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both would count as set twice."""
    kept = tmp_path / "database.url"
    kept.write_text("postgresql://u:p@other/d\n")
    DataFolder(tmp_path).write_environment(
        {"STOCKWIRE_DATABASE_URL": "postgresql://folder/d", "STOCKWIRE_REDIS_URL": "redis://folder"}
    )
    monkeypatch.delenv("STOCKWIRE_DATABASE_URL", raising=False)
    monkeypatch.setenv("STOCKWIRE_DATABASE_URL_FILE", str(kept))
    variables = system_variables(tmp_path)
    assert database_url(variables) == "postgresql://u:p@other/d"
    assert variables["STOCKWIRE_REDIS_URL"] == "redis://folder"


def test_up_takes_both_urls_from_files(tmp_path: Path) -> None:
    database, broker = tmp_path / "database.url", tmp_path / "redis.url"
    database.write_text("postgresql://u:p@h/d\n")
    broker.write_text("rediss://:p@h\n")
    files = {"STOCKWIRE_DATABASE_URL_FILE": str(database), "STOCKWIRE_REDIS_URL_FILE": str(broker)}
    settings = UpSettings.read(data=tmp_path, reset=False, port=0, replay=0, hubs=1, variables=files)
    assert (settings.database_url, settings.redis_url) == ("postgresql://u:p@h/d", "rediss://:p@h")


async def test_a_broker_that_cannot_be_named_revokes_nothing(tmp_path: Path) -> None:
    """Else the key had ended, and the command said only that a setting is wrong."""
    variables = {"STOCKWIRE_REDIS_URL_FILE": str(tmp_path / "none")}
    with pytest.raises(SettingsError, match="STOCKWIRE_REDIS_URL_FILE"):
        await keys.revoke("postgresql://127.0.0.1:1/none", variables, "id")
