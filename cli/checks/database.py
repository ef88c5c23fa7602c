"""The database: that it answers, how it keeps what it is told, its clock, its schema, its invariants."""

import time
from functools import partial

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine

from cli import findings
from cli.findings import Finding, FindingState
from ledger import migrations
from ledger.database.audit import audit as run_audit
from ledger.database.connector import Connector, NoPrimary
from ledger.database.engine import LEDGER_NAME
from ledger.migrations.errors import Foreign
from server.settings.database_url import read_database_url

TIMEOUT_S = 10.0
_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


_LEDGERS = """
select min(pid) as pid, coalesce(host(client_addr), 'this machine') as address,
       substr(application_name, length($1::text) + 1) as version
  from pg_stat_activity where datname = current_database() and starts_with(application_name, $1)
 group by 2, 3 order by 1
"""


async def database(url: str) -> list[Finding]:
    """The first finding says whether the database can be reached; the others follow only then."""
    try:
        connection = await Connector(url).connect({}, TIMEOUT_S)
    except NoPrimary as error:
        return [Finding("database", FindingState.FAILED, error.reason, error.fix)]
    except _ERRORS as error:
        fix = "start it, or correct STOCKWIRE_DATABASE_URL (host, port, user, password, name)"
        return [Finding("database", FindingState.FAILED, f"cannot be reached: {error or type(error).__name__}", fix)]
    try:
        before = time.time()
        now = await connection.fetchval("select extract(epoch from clock_timestamp())::float8")
        after = time.time()
        names = ("fsync", "full_page_writes", "synchronous_commit")
        settings = {name: await connection.fetchval("select current_setting($1)", name) for name in names}
        number = int(await connection.fetchval("select current_setting('server_version_num')"))
    finally:
        await connection.close(timeout=TIMEOUT_S)
    return [
        Finding("database", FindingState.GOOD, "answers"),
        findings.version_finding(number, _is_unix_socket(url)),
        findings.durability_finding(settings),
        findings.clock_finding(now - (before + after) / 2, (after - before) / 2),
    ]


async def schema(url: str) -> Finding:
    try:
        found = await migrations.schema_of(url)
    except Foreign as error:
        return Finding("migrations", FindingState.FAILED, str(error), "correct STOCKWIRE_DATABASE_URL")
    return findings.schema_finding(migrations.this_ledger(), found)


async def connected_ledgers(url: str) -> dict[str, str]:
    """The version of each ledger that is connected, as it says there itself; also of one that nobody has named."""
    connection = await Connector(url).connect({}, TIMEOUT_S)
    try:
        rows = await connection.fetch(_LEDGERS, LEDGER_NAME)
    finally:
        await connection.close(timeout=TIMEOUT_S)
    return {f"a ledger at {row['address']} (PostgreSQL process {row['pid']})": row["version"] for row in rows}


async def audit(url: str) -> list[Finding]:
    """On a connection without the ledger's own deadlines: reading the whole log takes as long as it takes."""
    engine = create_async_engine("postgresql+asyncpg://", async_creator=partial(Connector(url).connect, {}, None))
    try:
        async with engine.begin() as connection:
            violations = await run_audit(connection)
    finally:
        await engine.dispose()
    if not violations:
        return [Finding("audit", FindingState.GOOD, "every invariant holds")]
    fix = "stop the writers, keep a copy of the database, and see docs/how-to/when-things-break.md"
    return [
        Finding(f"audit {found.invariant} {found.name}", FindingState.FAILED, str(found), fix) for found in violations
    ]


def _is_unix_socket(url: str) -> bool:
    return any(host.name.startswith("/") for host in read_database_url(url).hosts)
