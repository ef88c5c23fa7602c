"""What `stockwire doctor` finds of the database's replication slots: pure."""

from math import inf

from cli.findings import Finding, FindingState
from ledger.database.slots import PUBLICATION, Slot, Slots

FULL_SHARE = 0.5
KEPT_BYTES_MAX = 2e10
"""Of what a slot may keep, and of this if it may keep more: as StockwireSlotRetainsLog has it."""
_ANEW = "docs/how-to/debezium.md: remove connector and slot, make both anew"


def slots_findings(found: Slots) -> list[Finding]:
    """Nothing where nobody reads that way, or is meant to."""
    if not found.any:
        return []
    findings = [_slot(slot) for slot in found.slots]
    if not found.logical:
        fix = "set wal_level = logical, and start PostgreSQL again"
        detail = f"{PUBLICATION} is there for Debezium, which cannot read: wal_level is {found.wal_level}"
        findings.append(Finding("change data capture", FindingState.WARNING, detail, fix))
    elif not found.slots:
        detail = f"{PUBLICATION} is there, and no slot: no connector has been started"
        findings.append(Finding("change data capture", FindingState.SKIPPED, detail))
    if any(slot.bytes_max == inf for slot in found.slots):
        fix = "alter system set max_slot_wal_keep_size = '20GB' (less than the disk has free); select pg_reload_conf()"
        detail = "max_slot_wal_keep_size is not set: a slot that is left behind fills the disk, and nothing is sold"
        findings.append(Finding("slot limit", FindingState.WARNING, detail, fix))
    return findings


def _slot(slot: Slot) -> Finding:
    check = f"slot {slot.name}"
    if slot.lost:
        detail = f"PostgreSQL has given it up ({slot.reason}): what nobody read by it is gone"
        return Finding(check, FindingState.FAILED, detail, _ANEW)
    kept = f"keeps {_size(slot.retained_bytes)} of log"
    if slot.ending:
        detail = f"{kept}, more than max_slot_wal_keep_size: PostgreSQL gives it up with the next checkpoint"
        return Finding(check, FindingState.FAILED, detail, "start its connector at once; else it is to be made anew")
    if not slot.active:
        fix = f"start its connector; if nobody wants it any more: select pg_drop_replication_slot('{slot.name}')"
        return Finding(check, FindingState.WARNING, f"nobody reads by it, and it {kept}", fix)
    if slot.retained_bytes > FULL_SHARE * min(slot.bytes_max, KEPT_BYTES_MAX):
        limit = f" of {_size(slot.bytes_max)}, after which PostgreSQL gives it up" if slot.bytes_max < inf else ""
        detail = f"is read, but {kept}{limit}"
        return Finding(check, FindingState.WARNING, detail, "see what holds the connector up: its log, the broker")
    return Finding(check, FindingState.GOOD, f"is read, {kept}")


def _size(count_bytes: float) -> str:
    return f"{count_bytes / 2**20:,.1f} MiB"
