"""`stockwire doctor` notices what is broken, names it and says the fix."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

PROGRAM = Path(sys.executable).with_name("stockwire")
SECRET = "0123456789abcdef0123456789abcdef"

ITEM = """
insert into item (sku, name) values ('A', 'a');
insert into location (location, name, shard) values ('berlin', 'Berlin', 0);
"""
EVENT = """
insert into stock_event (shard, seq, version, sku, location, kind, on_hand_delta, reserved_delta, on_hand, reserved,
                         operation, actor, committed_at)
values (0, 1, 1, 'A', 'berlin', 'receipt', 5, 0, 5, 0, '00000000-0000-0000-0000-000000000000', 'x', now());
update shard set head = 1 where id = 0;
insert into stock_level (shard, location, sku, on_hand, version) values (0, 'berlin', 'A', 5, 1);
"""


def doctor(folder: Path, *arguments: str, **variables: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit status, and findings by check."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STOCKWIRE_")}
    done = subprocess.run(
        [PROGRAM, "doctor", "--json", *arguments],
        env={**environment, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}


def failed(found: dict[str, dict[str, Any]]) -> set[str]:
    """But for durability: the tests' own PostgreSQL runs without fsync, which a doctor must not like."""
    return {check for check, finding in found.items() if finding["state"] == "failed"} - {"durability"}


def test_a_sound_system_without_an_up(tmp_path: Path, database_url: str, redis_url: str) -> None:
    _, found = doctor(
        tmp_path,
        "--audit",
        STOCKWIRE_DATABASE_URL=database_url,
        STOCKWIRE_REDIS_URL=redis_url,
        STOCKWIRE_TOKEN_SECRET=SECRET,
    )
    assert failed(found) == set()
    assert found["audit"]["state"] == found["migrations"]["state"] == found["broker"]["state"] == "good"
    assert found["processes"]["state"] == "skipped"


def test_everything_that_is_missing_is_named_with_its_fix(tmp_path: Path, empty_database_url: str) -> None:
    status, found = doctor(
        tmp_path,
        STOCKWIRE_DATABASE_URL=empty_database_url,
        STOCKWIRE_REDIS_URL="redis://127.0.0.1:1",
        STOCKWIRE_TOKEN_SECRET="short",
    )
    assert status == 1
    for check, fix in (
        ("migrations", "stockwire migrate"),
        ("broker", "STOCKWIRE_REDIS_URL"),
        ("token secret", "rand"),
    ):
        assert found[check]["state"] == "failed"
        assert fix in found[check]["fix"]


def test_a_database_that_is_away(tmp_path: Path) -> None:
    status, found = doctor(tmp_path, "--audit", STOCKWIRE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert status == 1
    assert found["database"]["state"] == "failed"
    assert "audit" not in found


@pytest.mark.parametrize(
    ("broken", "invariant"),
    [
        ("insert into stock_level (shard, location, sku, on_hand) values (0, 'berlin', 'A', 5)", "I1"),
        ("update shard set head = 7 where id = 0", "I2"),
        (EVENT, "I3"),
    ],
)
async def test_the_audit_names_the_broken_invariant(
    tmp_path: Path, database_url: str, redis_url: str, broken: str, invariant: str
) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(ITEM + broken)
    await connection.close()
    variables = {"STOCKWIRE_DATABASE_URL": database_url, "STOCKWIRE_REDIS_URL": redis_url}
    _, found = doctor(tmp_path, STOCKWIRE_TOKEN_SECRET=SECRET, **variables)
    assert failed(found) == set()
    status, found = doctor(tmp_path, "--audit", STOCKWIRE_TOKEN_SECRET=SECRET, **variables)
    assert status == 1
    assert any(check.startswith(f"audit {invariant} ") for check in failed(found))
