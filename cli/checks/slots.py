"""Replication slots of the database, by which Debezium reads: that they follow, and cannot fill its disk."""

from cli.findings import Finding
from cli.slot_findings import slots_findings
from ledger.database.connector import Connector
from ledger.database.slots import READ, slots_of

TIMEOUT_S = 10.0


async def slots(url: str) -> list[Finding]:
    """Nothing where nobody reads that way. For a database that answers."""
    connection = await Connector(url).connect({}, TIMEOUT_S)
    try:
        rows = await connection.fetch(READ)
    finally:
        await connection.close(timeout=TIMEOUT_S)
    return slots_findings(slots_of(rows))
