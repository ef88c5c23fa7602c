"""What the run.json of a running `stockwire up` says to our own commands (to clients: ``stockwire.settings``)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """``hubs``: stream URLs. ``pids`` and ``admin`` (URLs of admin ports): by process name."""

    ledger: str
    hubs: tuple[str, ...]
    key: str = field(repr=False)
    pids: Mapping[str, int]
    admin: Mapping[str, str]
    location: str


def read_run(data: Path) -> Run | None:
    """As it stands now: it follows when a process is replaced. None while no `stockwire up` runs in ``data``."""
    try:
        run = json.loads((data / "run.json").read_text())
        return Run(
            ledger=str(run["ledger"]),
            hubs=tuple(map(str, run["hubs"])),
            key=str(run["key"]),
            pids={str(name): int(pid) for name, pid in run.get("pids", {}).items()},
            admin={str(name): str(url) for name, url in run.get("admin", {}).items()},
            location=str(run.get("location", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
