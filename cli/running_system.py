"""The system of a `stockwire up` that runs now, as its data folder tells.

Only that one: a demonstration must never meet a system that the environment happens to name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.data_folder import DataFolder
from wire.environment import SettingsError


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """``hubs``: stream URLs. ``pids``: by process name, as they were when this was read."""

    data: Path
    ledger: str
    hubs: tuple[str, ...]
    key: str
    pids: Mapping[str, int]
    location: str
    database_url: str

    def pid_now(self, name: str) -> int | None:
        """As run.json says now: it follows when a process was replaced. None while it is not running."""
        try:
            pid: int | None = _read(self.data)["pids"].get(name)
        except (OSError, ValueError, KeyError):
            return None
        return pid


def running_system(data: Path) -> RunningSystem:
    """Raises SettingsError if no `stockwire up` runs in ``data``."""
    try:
        run = _read(data)
        database_url = DataFolder(data).environment()["STOCKWIRE_DATABASE_URL"]
        return RunningSystem(
            data=data,
            ledger=str(run["ledger"]),
            hubs=tuple(map(str, run["hubs"])),
            key=str(run["key"]),
            pids={str(name): int(pid) for name, pid in run.get("pids", {}).items()},
            location=str(run.get("location", "")),
            database_url=database_url,
        )
    except (OSError, ValueError, KeyError, TypeError):
        fix = "start one with `make up`, or name its folder with --data or STOCKWIRE_DATA"
        raise SettingsError(f"no `stockwire up` runs in {data}: {fix}") from None


def _read(data: Path) -> dict[str, Any]:
    run: dict[str, Any] = json.loads((data / "run.json").read_text())
    return run
