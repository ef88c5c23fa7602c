"""`stockwire migrate` as whoever upgrades runs it: a plan, an expand that is killed, a contract, and its refusal."""

import io
import os
import re
import signal
import subprocess
import sys

import asyncpg
import pytest

import stockwire_command
from cli import migrating
from ledger.migrations import SHARDS_MAX
from ledger.migrations.revisions import newest
from tests.cli.running import PROGRAM
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.migrations.databases import expand_to

pytestmark = pytest.mark.usefixtures("processes")

LEVELS = 20_000
FILLED = f"""
with made as (insert into item (sku, name) select 's' || n, 'x' from generate_series(1, {LEVELS}) n returning sku)
insert into stock_level (shard, location, sku, on_hand, version) select 0, 'rome', sku, 1, 1 from made
"""

OTHERS = "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


def environment(url: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("STOCKWIRE_")}
    return {**own, "STOCKWIRE_DATABASE_URL": url}


def migrate(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "migrate", *arguments], env=environment(url), capture_output=True, text=True, check=False
    )


def begun(url: str, said: str) -> "subprocess.Popen[str]":
    """A migration that has come as far as to say that."""
    process = subprocess.Popen(
        [PROGRAM, "migrate"], env=environment(url), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while said not in (line := process.stdout.readline()):
        assert line, "it ended before"
    return process


def killed_in_the_backfill(url: str) -> None:
    with begun(url, "first view") as process:
        process.kill()


async def test_an_upgrade_is_planned_killed_run_again_and_contracted(empty_database_url: str) -> None:
    url = empty_database_url
    await expand_to(url, "0001")
    connection = await asyncpg.connect(url, server_settings={"application_name": "psql"})
    try:
        await connection.execute("insert into location values ('rome', 'Rome', 0)")
        await connection.execute(FILLED)
        plan = migrate(url, "--plan")
        assert plan.returncode == 0
        assert "ACCESS EXCLUSIVE on stock_level: sales wait" in plan.stdout
        assert "ROW EXCLUSIVE on stock_level (" in plan.stdout
        assert await connection.fetchval("select version_num from alembic_version") == "0001"

        killed_in_the_backfill(url)
        refused = migrate(url, "--contract")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "run `stockwire migrate` first" in refused.stderr

        done = migrate(url)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("The database is migrated.\n")
        assert await connection.fetchval("select count(*) from stock_level where view_version <> 1") == 0
        assert await connection.fetchval("select version_num from alembic_version") == newest()

        await connection.execute("set application_name = 'stockwire'")
        refused = migrate(url, "--contract")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "ledgers that do not know what 0.1.0 knows are connected: stockwire (from before 0.1.0" in refused.stderr
        await connection.execute("set application_name = 'psql'")
        assert "cannot be undone: " in migrate(url, "--contract", "--plan").stdout
        contracted = migrate(url, "--contract")
        assert contracted.returncode == 0, contracted.stderr
        assert "it bears 0.1.0 and later" in contracted.stdout
        assert migrate(url, "--contract").stdout == "Nothing is left to contract.\n"
        assert migrate(url, "--plan").stdout == "Nothing is left to migrate.\n"
    finally:
        await connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_migration_that_is_interrupted_says_so_and_leaves_nothing_behind(
    empty_database_url: str, number: signal.Signals
) -> None:
    await expand_to(empty_database_url, "0001")
    connection = await asyncpg.connect(empty_database_url)
    try:
        async with connection.transaction():
            await connection.execute("lock table stock_level")
            process = begun(empty_database_url, "step 2")
            process.send_signal(number)
            _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 128 + number
        assert said == "stockwire: interrupted: what was done so far stands; run this again to go on\n"

        async def gone() -> bool:
            return not await connection.fetch(OTHERS)

        await wait_until(gone, PATIENCE_S, what="its session has ended")
        assert await connection.fetchval("select version_num from alembic_version") == "0001"
    finally:
        await connection.close()


def test_a_contract_is_a_step_of_its_own(empty_database_url: str) -> None:
    refused = migrate(empty_database_url, "--contract", "--new-epoch")
    assert refused.returncode == 2
    assert "--contract is a step of its own" in refused.stderr


@pytest.mark.parametrize(
    ("old", "new", "status", "says"),
    [
        ("://stockwire:", "://stockwire:x", 1, 'cannot be used: password authentication failed for user "stockwire"'),
        ("/test_", "/missing_", 1, r'cannot be used: database "missing_\w+" does not exist'),
        ("host=", "host=/nowhere", 75, r"cannot be reached \(.*\): what was done so far stands; run this again"),
        (
            "?",
            "?options=-c%20default_transaction_read_only%3Don&",
            75,
            "read-only: take default_transaction_read_only back",
        ),
    ],
)
def test_a_database_that_cannot_be_had_is_said_in_one_line(
    empty_database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    status: int,
    says: str,
) -> None:
    monkeypatch.setenv("STOCKWIRE_DATABASE_URL", empty_database_url.replace(old, new, 1))
    monkeypatch.setattr(sys, "argv", ["stockwire", "migrate"])
    with pytest.raises(SystemExit) as ended:
        stockwire_command.main()
    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (status, "")
    assert re.fullmatch(f"stockwire: .*{says}.*\n", shown.err), shown.err


def test_a_reader_that_has_gone_stops_no_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """`stockwire migrate | head -1` ended after its first step, and blamed the database."""

    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())
    migrating.say("0002 step 1 of 5")


def test_more_shards_than_there_may_be_are_refused_before_anything_is_made(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOCKWIRE_DATABASE_URL", empty_database_url)
    monkeypatch.setattr(sys, "argv", ["stockwire", "migrate", "--shards", str(SHARDS_MAX + 1)])
    with pytest.raises(SystemExit) as ended:
        stockwire_command.main()
    assert ended.value.code == 2
    assert f"from 1 to {SHARDS_MAX}" in capsys.readouterr().err
