"""`stockwire doctor`: looks at a system from where it stands, one check after the other.

It changes nothing but the level that ``cli.checks.round_trip`` moves up and down again.
"""

from collections.abc import Mapping
from pathlib import Path

from cli.checks.broker import broker
from cli.checks.database import audit as run_audit
from cli.checks.database import database, schema
from cli.checks.keys import hub_key, stored_keys, token_secret
from cli.checks.origins import origins
from cli.checks.processes import files, processes
from cli.checks.round_trip import round_trip
from cli.checks.snapshot import snapshot
from cli.checks.way_in import WayIn, find_way_in
from cli.findings import Finding, Report, State
from cli.named_system import database_url


async def examine(data: Path, variables: Mapping[str, str], *, audit: bool, read_only: bool) -> Report:
    """``read_only``: nothing is booked. Raises SettingsError if no database is named at all."""
    url = database_url(variables)
    way_in = find_way_in(data, variables)
    found = await database(url)
    reached = found[0].state is State.GOOD
    if reached:
        found.append(await schema(url))
    found += await broker(variables)
    found += [files(), token_secret(variables)]
    if reached and found_good(found, "migrations"):
        found += await stored_keys(url)
    found.append(await hub_key(variables, None if way_in is None else way_in.url))
    found += await processes(data, variables)
    found += await origins(variables, way_in)
    found += await _client(way_in, read_only)
    if audit and reached:
        found += await run_audit(url)
    return Report(found)


def found_good(found: list[Finding], check: str) -> bool:
    return any(finding.check == check and finding.state is State.GOOD for finding in found)


async def _client(way_in: WayIn | None, read_only: bool) -> list[Finding]:
    if way_in is None or way_in.key is None:
        return [Finding("round trip", State.SKIPPED, "set STOCKWIRE_URL and STOCKWIRE_API_KEY to have one tried")]
    if read_only:
        return [await snapshot(way_in)]
    trips = await round_trip(way_in)
    if trips is None:
        detail = "the key may not write everywhere (stock:write:*); --read-only leaves this out"
        return [Finding("round trip", State.SKIPPED, detail), await snapshot(way_in)]
    return trips
