"""`stockwire doctor`: looks at a system from where it stands, one check after the other.

It changes nothing but the level that ``cli.checks.round_trip`` moves up and down again.
"""

from collections.abc import Mapping
from pathlib import Path

from cli.checks.badge import badge
from cli.checks.broker import broker
from cli.checks.channels import channels
from cli.checks.database import audit as run_audit
from cli.checks.database import connected_ledgers, database, schema
from cli.checks.keys import hub_key, stored_keys, token_secret
from cli.checks.origins import origins
from cli.checks.processes import processes
from cli.checks.round_trip import round_trip
from cli.checks.slots import slots
from cli.checks.snapshot import snapshot
from cli.checks.way_in import find_way_in
from cli.findings import Finding, FindingState, Report
from cli.named_system import database_url
from stockwire.settings import Settings


async def examine(data: Path, variables: Mapping[str, str], *, audit: bool, read_only: bool) -> Report:
    """``read_only``: nothing is booked. Raises SettingsError if no database is named at all,
    ConfigurationError for a STOCKWIRE_URL that is none."""
    url = database_url(variables)
    way_in = find_way_in(data, variables)
    found = await database(url)
    reached = found[0].state is FindingState.GOOD
    if reached:
        found.append(await schema(url))
        found += await slots(url)
    found += await broker(variables)
    found.append(token_secret(variables))
    if reached and not found_failed(found, "migrations"):
        found += await stored_keys(url)
    found.append(await hub_key(variables, None if way_in is None else way_in.url))
    found += await processes(data, variables, await connected_ledgers(url) if reached else {})
    found += await channels(data, variables, way_in)
    found += await origins(variables, way_in)
    found += await badge(variables, way_in)
    found += await _client(way_in, read_only)
    if audit and reached:
        found += await run_audit(url)
    return Report(found)


def found_failed(found: list[Finding], check: str) -> bool:
    return any(finding.check == check and finding.state is FindingState.FAILED for finding in found)


async def _client(way_in: Settings | None, read_only: bool) -> list[Finding]:
    if way_in is None or way_in.key is None:
        return [
            Finding("round trip", FindingState.SKIPPED, "set STOCKWIRE_URL and STOCKWIRE_API_KEY to have one tried")
        ]
    if read_only:
        return [await snapshot(way_in)]
    trips = await round_trip(way_in)
    if trips is None:
        detail = "the key may not write everywhere (stock:write:*); --read-only leaves this out"
        return [Finding("round trip", FindingState.SKIPPED, detail), await snapshot(way_in)]
    return trips
