"""The system of a `stockwire up` that runs now, as its data folder tells.

Only that one: a demonstration must never meet a system that the environment happens to name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.data_folder import DataFolder
from cli.run_file import read_run
from server.settings.environment import SettingsError


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """``hubs``: stream URLs. ``pids``: by process name, as they were when this was read."""

    data: Path
    ledger: str
    hubs: tuple[str, ...]
    key: str = field(repr=False)
    pids: Mapping[str, int]
    location: str
    database_url: str = field(repr=False)

    def pid_now(self, name: str) -> int | None:
        """As run.json says now. None while it is not running."""
        run = read_run(self.data)
        return None if run is None else run.pids.get(name)


def running_system(data: Path) -> RunningSystem:
    """Raises SettingsError if no `stockwire up` runs in ``data``."""
    run = read_run(data)
    database_url = DataFolder(data).environment().get("STOCKWIRE_DATABASE_URL")
    if run is None or database_url is None:
        fix = "start one with `make up`, or name its folder with --data or STOCKWIRE_DATA"
        raise SettingsError(f"no `stockwire up` runs in {data}: {fix}")
    return RunningSystem(data, run.ledger, run.hubs, run.key, run.pids, run.location, database_url)
