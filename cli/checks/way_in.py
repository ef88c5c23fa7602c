"""Where the system under examination is, for a client: its ledger and a key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wire.environment import Environment


@dataclass(frozen=True, slots=True)
class WayIn:
    """``key`` may be None: what needs one will say so."""

    url: str
    key: str | None


def find_way_in(data: Path, variables: Mapping[str, str]) -> WayIn | None:
    """STOCKWIRE_URL and STOCKWIRE_API_KEY, else a running `stockwire up`, else a ledger that hubs are told of."""
    url, key = variables.get("STOCKWIRE_URL"), variables.get("STOCKWIRE_API_KEY") or None
    if url:
        return WayIn(url.rstrip("/"), key)
    try:
        run = json.loads((data / "run.json").read_text())
        return WayIn(str(run["ledger"]), key or str(run["key"]))
    except (OSError, ValueError, KeyError, TypeError):
        urls = Environment(variables).items("STOCKWIRE_LEDGER_URLS")
        return WayIn(urls[0].rstrip("/"), key) if urls else None
