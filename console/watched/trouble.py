"""What is wrong now, and the fix. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from console.watched.metric_page import Reading
from console.watched.node import HUB, LEDGER

SWEEPER_DELAY_S_MAX = 5.0
SNAPSHOT_AGE_S_MAX = 10.0
"""As docs/reference/metrics.md has it for alerts."""
_LOG = "its log says why (of a `stockwire up`: in the data folder)"


@dataclass(frozen=True, slots=True)
class Trouble:
    """``severity``: ``failed`` (people notice) or ``warning``. ``node``: None if it is no one process's."""

    severity: str
    what: str
    fix: str
    node: str | None = None

    def fields(self) -> dict[str, Any]:
        return asdict(self)


def of_node(node: dict[str, Any], reading: Reading | None) -> list[Trouble]:
    """``node``: as `console.watched.node` has it."""
    name, state = node["name"], node["state"]
    if state == "away":
        return [Trouble("failed", f"{name} does not answer at {node['admin']}", f"start it; {_LOG}", name)]
    if state == "foreign" or reading is None:
        fix = "correct STOCKWIRE_ADMIN_URLS"
        return [Trouble("warning", f"{node['admin']} is no ledger and no hub", fix, name)]
    found = []
    if node["draining"]:
        found.append(Trouble("warning", f"{name} drains: it takes no clients", "undrain it, or stop it", name))
    elif state == "unready":
        found.append(
            Trouble("failed", f"{name} is not ready", f"GET {node['admin']}/readyz says what it waits for", name)
        )
    if state == "behind":
        what = f"{name} is behind by {node['lag_ms']} ms: its screens show old numbers, marked as such"
        found.append(
            Trouble("failed", what, "it reads what it missed from the ledger by itself; is the ledger there?", name)
        )
    if node["broker_up"] is False:
        what = f"{name} does not reach the broker: screens follow up to a second late"
        found.append(Trouble("warning", what, "start Redis or Valkey, see STOCKWIRE_REDIS_URL", name))
    return found + _of_ledger(name, reading) + _of_hub(name, reading)


def _of_ledger(name: str, reading: Reading) -> list[Trouble]:
    found = []
    delay_s, age_s = reading.value(f"{LEDGER}sweeper_delay_seconds"), reading.value(f"{LEDGER}oldest_snapshot_seconds")
    if delay_s is not None and delay_s > SWEEPER_DELAY_S_MAX:
        what = f"{name} lets go of overdue reservations {delay_s:.0f} s late"
        found.append(Trouble("warning", what, "see its queue and the database's load", name))
    if age_s is not None and age_s > SNAPSHOT_AGE_S_MAX:
        what = f"a transaction in the database is open for {age_s:.0f} s: hot levels become slow"
        found.append(Trouble("warning", what, "end it: `stockwire doctor` names long ones", name))
    return found


def _of_hub(name: str, reading: Reading) -> list[Trouble]:
    if (rewrites := reading.whole(f"{HUB}rewrites_total")) and rewrites > 0:
        what = f"{name} saw history rewritten {rewrites} times since it started"
        return [Trouble("warning", what, "expected after a restore only; else look for a second database", name)]
    return []


def of_versions(nodes: Sequence[dict[str, Any]]) -> list[Trouble]:
    versions = sorted({node["version"] for node in nodes if node["version"]})
    if len(versions) < 2:
        return []
    what = f"processes are of different versions: {', '.join(versions)}"
    return [Trouble("warning", what, "finish the upgrade (docs/how-to/upgrade.md)")]
