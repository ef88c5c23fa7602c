"""Which system a server command means: the environment, else the data folder of a running `stockwire up`."""

import os
from collections.abc import Mapping
from pathlib import Path

from cli.data_folder import DataFolder
from server.settings.database_url import database_url_of
from server.settings.environment import Environment, SettingsError

DATA_DEFAULT = ".stockwire"


def data_path(option: Path | None) -> Path:
    return option or Path(os.environ.get("STOCKWIRE_DATA") or DATA_DEFAULT)


def system_variables(option: Path | None) -> dict[str, str]:
    """The environment, over what the data folder says of the system that runs (or ran) there."""
    kept = DataFolder(data_path(option)).environment()
    # A secret that the environment has in a file would otherwise be set twice
    return {**{name: value for name, value in kept.items() if not os.environ.get(f"{name}_FILE")}, **os.environ}


def checked_environment() -> dict[str, str]:
    """The environment. Raises SettingsError for a name that no part of Stockwire knows: a misspelt setting would be
    ignored in silence.
    """
    Environment(os.environ).refuse_unknown()
    return dict(os.environ)


def checked_variables(option: Path | None) -> dict[str, str]:
    """As `system_variables`. Raises SettingsError as `checked_environment`."""
    checked_environment()
    return system_variables(option)


def database_url(variables: Mapping[str, str]) -> str:
    """Raises SettingsError."""
    environment = Environment(variables)
    if not environment.has_secret("STOCKWIRE_DATABASE_URL"):
        raise SettingsError(
            "no database is named: set STOCKWIRE_DATABASE_URL, or name the folder of a `stockwire up` with "
            "--data or STOCKWIRE_DATA"
        )
    return database_url_of(environment)
