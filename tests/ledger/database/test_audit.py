"""The audit can fail: every invariant is broken on purpose by SQL, and named."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

import cli.checks.database
from cli.findings import FindingState
from tests.cli.test_doctor import doctor, failed
from tests.harness.api_keys import TOKEN_SECRET
from tests.harness.waiting import PATIENCE_S
from tests.ledger.commit_path import CommitPath, commit_path, line, operation


@pytest.fixture
async def path(database_url: str) -> AsyncIterator[CommitPath]:
    """A ledger with two levels, one multi-line sale, one operation across shards and one refusal; all sound."""
    async with commit_path(database_url) as path:
        await path.add_catalog(["A", "B"], ["berlin", "paris"])
        await path.writers.submit(operation(line("A", "berlin", 10), line("B", "berlin", 10)))
        await path.writers.submit(operation(line("A", "berlin", -1), line("B", "berlin", -2)))
        await path.writers.submit(operation(line("A", "berlin", -3), line("A", "paris", 3, kind="adjustment")))
        with pytest.raises(Exception, match="requested"):
            await path.writers.submit(operation(line("A", "berlin", -100)))
        assert await path.audit() == []
        yield path


LAST_SALE = "(select id from operation where jsonb_array_length(lines) = 2 order by committed_at limit 1 offset 1)"

BREAKS = [
    ("I1 balance", "update stock_level set on_hand = on_hand + 1 where sku = 'A' and location = 'berlin'"),
    ("I1 balance", "update stock_event set on_hand = on_hand - 1 where sku = 'A' and version = 2"),
    ("I1 balance", "delete from stock_level where sku = 'B'; insert into stock_level select shard, location, sku, 9, 0,"
                   " 2 from stock_event where sku = 'B' and version = 2"),
    ("I1 negative", "update stock_event set on_hand = -1 where sku = 'A' and version = 2"),
    ("I1 negative", "update stock_event set reserved = on_hand + 1 where sku = 'B' and version = 2"),
    ("I2 versions", "update stock_event set version = version + 5 where sku = 'B' and version = 2"),
    ("I2 versions", "update stock_level set version = version + 1 where sku = 'A' and location = 'berlin'"),
    ("I2 seqs", "update shard set head = head + 1 where head > 0"),
    ("I2 seqs", "update stock_event set seq = seq + 7 where sku = 'B' and version = 2"),
    ("I3 effects", f"delete from operation where id = {LAST_SALE}"),
    ("I3 effects", f"update operation set key = 'other' where id = {LAST_SALE}"),
    ("I3 effects", f"update operation set first_seqs = '{{1}}' where id = {LAST_SALE}"),
    ("I3 effects", f"update operation set refusal = '{{}}' where id = {LAST_SALE}"),
    ("I3 torn", f"update operation set events = '{{1}}' where id = {LAST_SALE}"),
    ("I3 torn", f"update operation set lines = jsonb_path_query_array(lines, '$[0]') where id = {LAST_SALE}"),
]  # fmt: skip


@pytest.mark.parametrize(("invariant", "sabotage"), BREAKS)
async def test_a_broken_invariant_is_named(path: CommitPath, database_url: str, invariant: str, sabotage: str) -> None:
    async with path.engine.begin() as connection:
        for statement in sabotage.split(";"):
            await connection.execute(text(statement))
    violations = await path.audit()
    named = {f"{violation.invariant} {violation.name}" for violation in violations}
    assert invariant in named, f"found only {named}"
    found = await cli.checks.database.audit(database_url)
    assert {finding.check for finding in found} == {f"audit {name}" for name in named}
    assert {finding.state for finding in found} == {FindingState.FAILED}


@pytest.mark.usefixtures("processes")
async def test_a_torn_operation_is_found_although_sums_versions_and_seqs_look_right(
    path: CommitPath, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """One line of a two-line sale never happened, and everything else was made to fit."""
    async with path.engine.begin() as connection:
        for statement in (
            f"delete from stock_event where sku = 'B' and operation = {LAST_SALE}",
            "update stock_level set on_hand = 10, version = 1 where sku = 'B'",
            "update stock_event set seq = seq - 1 where shard = (select shard from location where location = 'berlin')"
            " and seq > 4",
            "update operation set first_seqs[1] = first_seqs[1] - 1 where shards[1] ="
            " (select shard from location where location = 'berlin') and first_seqs[1] > 4",
            "update operation set first_seqs[2] = first_seqs[2] - 1 where shards[2] ="
            " (select shard from location where location = 'berlin') and first_seqs[2] > 4",
            "update shard set head = head - 1 where id = (select shard from location where location = 'berlin')",
            f"update operation set events = '{{1}}' where id = {LAST_SALE}",
        ):
            await connection.execute(text(statement))
    assert {f"{v.invariant} {v.name}" for v in await path.audit()} == {"I3 torn"}
    assert await asyncio.to_thread(_doctor_names, tmp_path, database_url, redis_url) == (1, {"I3 torn"})


def _doctor_names(folder: Path, database_url: str, redis_url: str) -> tuple[int, set[str]]:
    """The exit status of `stockwire doctor --audit`, and the invariants that it says are broken.

    Whatever else it may find on a busy machine, such as a broker that is slow, is not asked here.
    """
    patient = f"{database_url}{'&' if '?' in database_url else '?'}connect_timeout={PATIENCE_S:.0f}"
    variables = {"STOCKWIRE_DATABASE_URL": patient, "STOCKWIRE_REDIS_URL": redis_url}
    status, found = doctor(folder, "--audit", STOCKWIRE_TOKEN_SECRET=TOKEN_SECRET, **variables)
    audits = {check for check in failed(found) if check.startswith("audit ")}
    return status, {check.removeprefix("audit ") for check in audits}
