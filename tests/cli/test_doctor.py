"""`stockwire doctor` notices what is broken, names it and says the fix."""

import asyncio
import base64
import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cli import keys
from cli.checks.processes import reason_of
from cli.doctor import examine
from cli.findings import Finding, FindingState
from hub.reads.badge_script import FILE as SCRIPT
from ledger import migrations
from ledger.migrations.schema import Ledger
from server.version import VERSION
from stockwire import AsyncClient, Level
from tests.cli.running import RunningUp
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

PROGRAM = Path(sys.executable).with_name("stockwire")
SECRET = "0123456789abcdef0123456789abcdef"
LOOKS_MAX = 10
"""On a busy machine a sound round trip may be slow once, and not each time."""

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
    """Exit status, and findings by check. It may have 256 open files itself, which is nobody else's concern."""

    environment = {name: value for name, value in os.environ.items() if not name.startswith("STOCKWIRE_")}
    done = subprocess.run(
        [PROGRAM, "doctor", "--json", *arguments],
        env={**environment, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        preexec_fn=few_files,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}


def few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


def failed(found: dict[str, dict[str, Any]]) -> set[str]:
    """But for durability: the tests' own PostgreSQL runs without fsync, which a doctor must not like."""
    return {check for check, finding in found.items() if finding["state"] == "failed"} - {"durability"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"type":"unavailable","status":503,"detail":"this hub is draining"}', "this hub is draining"),
        ("no server is available\n", "no server is available"),  # of a proxy
        ('{"status":"away"}', '{"status":"away"}'),
        ("[]", "[]"),
        ("x" * 1_000, "x" * 200),
    ],
)
def test_a_reason_is_shown_without_the_document_around_it(body: str, reason: str) -> None:
    assert reason_of(body) == reason


@pytest.mark.usefixtures("processes")
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


@pytest.mark.usefixtures("processes")
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


@pytest.mark.usefixtures("processes")
def test_a_database_that_is_away(tmp_path: Path) -> None:
    status, found = doctor(tmp_path, "--audit", STOCKWIRE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert status == 1
    assert found["database"]["state"] == "failed"
    assert "audit" not in found


@pytest.mark.usefixtures("processes")
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


@pytest.mark.usefixtures("processes")
async def test_a_change_is_seen_through_every_hub_and_leaves_nothing_behind(up: RunningUp) -> None:
    async def level() -> Level:
        async with AsyncClient(up.run["ledger"], up.run["key"]) as client:
            return await client.stock.get("round-trip", "stockwire-doctor")

    for _ in range(LOOKS_MAX):
        _, found = doctor(up.data, STOCKWIRE_DATA=str(up.data))
        trips = [finding for check, finding in found.items() if check.startswith("round trip ")]
        if [trip["state"] for trip in trips] == ["good", "good"]:
            break
    assert [trip["state"] for trip in trips] == ["good", "good"], trips
    assert all(" ms after it was asked for" in trip["detail"] for trip in trips)
    assert f"{resource.getrlimit(resource.RLIMIT_NOFILE)[0]:,}" in found["open files"]["detail"], "not the servers'"
    assert (found["badge"]["state"], found["badge"]["detail"]) == ("good", "pages load it by this line")
    integrity = base64.b64encode(hashlib.sha384(SCRIPT.read_bytes()).digest()).decode()
    assert f'integrity="sha384-{integrity}"' in found["badge"]["paste"]
    assert f'src="{up.run["reads"][0]}/v1/badge.js?v=' in found["badge"]["paste"]
    assert (found["channels"]["state"], found["webhooks and channels"]["state"]) == ("good", "good")
    assert found["channels address"]["detail"].startswith("answer at http://127.0.0.1:")
    after = await level()
    assert after.on_hand == 0
    _, found = doctor(up.data, "--read-only", STOCKWIRE_DATA=str(up.data))
    assert found["a client"]["state"] == "good"
    assert (await level()).version == after.version


async def environment(system: System, **changed: str) -> dict[str, str]:
    return {
        "STOCKWIRE_DATABASE_URL": system.database_url,
        "STOCKWIRE_REDIS_URL": system.redis_url,
        "STOCKWIRE_TOKEN_SECRET": system.token_secret,
        "STOCKWIRE_URL": system.ledger_url,
        "STOCKWIRE_API_KEY": await system.admin_key(),
        "STOCKWIRE_HUB_KEY": await system.hub_key(),
        **changed,
    }


async def examined(folder: Path, variables: Mapping[str, str]) -> dict[str, Finding]:
    """In this process: a start of Python for each fault would take longer than all faults together."""
    report = await examine(folder, variables, audit=False, read_only=False)
    assert report.good == (not any(finding.state == "failed" for finding in report.findings))
    return {finding.check: finding for finding in report.findings}


async def test_each_part_that_is_broken_is_found_with_its_fix(system: System, tmp_path: Path) -> None:
    """A hub that is stopped, a key that is no hub's, an origin that nobody knows, a key that ends."""
    await system.start()
    sound, killed = (hub.stream.split("/")[2] for hub in system.hubs)
    await system.hubs[1].stop()
    ends = datetime.now(UTC) + timedelta(days=3)
    await keys.create(system.database_url, "till-7", ["feed"], "", ends)
    broken = {"STOCKWIRE_HUB_KEY": await system.admin_key(), "STOCKWIRE_ALLOWED_ORIGINS": "https://shop.example"}
    variables = await environment(system, **broken)
    for _ in range(LOOKS_MAX):
        found = await examined(tmp_path, variables)
        if found[f"round trip {sound}"].state == "good":
            break
    for check, state, says, fix in (
        (f"round trip {sound}", "good", "was shown", ""),
        (f"round trip {killed}", "failed", "gave no snapshot", "STOCKWIRE_HUB_STREAM_URLS"),
        ("hub key", "failed", "lacks the scope hub", "stockwire key create hubs --scope hub"),
        ("origins", "failed", "turns pages of https://shop.example away", "STOCKWIRE_ALLOWED_ORIGINS"),
        ("keys", "warning", "till-7", "stockwire key create"),
    ):
        finding = found[check]
        assert (finding.state, says in finding.detail, fix in finding.fix) == (state, True, True), finding
    async with AsyncClient(system.ledger_url, await system.admin_key()) as client:
        assert (await client.stock.get("round-trip", "stockwire-doctor")).on_hand == 0

    reader = await system.key("reader", "stock:read:*")
    variables = await environment(system, STOCKWIRE_API_KEY=reader, STOCKWIRE_HUB_KEY=f"{await system.hub_key()}x")
    found = await examined(tmp_path, variables)
    assert found["round trip"].state == "skipped"
    assert found["a client"].state == "good"
    assert "does not know it" in found["hub key"].detail
    assert found["origins"].state == "warning"

    await system.ledgers[0].stop()
    found = await examined(tmp_path, await environment(system))
    assert "start the ledger" in found["round trip"].fix
    assert "no ledger answers" in found["hub key"].detail


async def answer_as(version: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An admin port of a process of another release."""
    await reader.readuntil(b"\r\n\r\n")
    body = json.dumps({"status": "ready", "version": version}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
    writer.write(head.encode() + b"\r\n\r\n" + body)
    await writer.drain()
    writer.close()


async def test_a_mix_of_versions_that_is_not_promised_is_found_by_ports_and_by_connections(
    system: System, tmp_path: Path
) -> None:
    await system.start(hubs=1)
    ports = {"STOCKWIRE_ADMIN_URLS": f"{system.ledgers[0].admin},{system.hubs[0].admin}"}
    variables = await environment(system, **ports)
    found = await examined(tmp_path, variables)
    assert (found["versions"].state, found["versions"].detail) == ("good", VERSION)

    later = await asyncio.start_server(partial(answer_as, "9.9.0"), "127.0.0.1", 0)
    async with later:
        url = f"http://127.0.0.1:{later.sockets[0].getsockname()[1]}"
        ports = {"STOCKWIRE_ADMIN_URLS": f"{system.hubs[0].admin},{url}"}
        found = await examined(tmp_path, variables | ports)
    assert found["versions"].state == "failed"
    assert f"is {VERSION} and " in found["versions"].detail
    assert "is 9.9.0: only a version and the one before work together" in found["versions"].detail

    forgotten = await asyncpg.connect(
        system.database_url, server_settings={"application_name": "stockwire ledger 0.0.1"}
    )
    try:
        found = await examined(tmp_path, variables)
    finally:
        await forgotten.close()
    assert found["versions"].state == "failed"
    named = f"a ledger at this machine (PostgreSQL process {forgotten.get_server_pid()})"
    assert found["versions"].fix == f"upgrade {named}"


async def test_a_schema_that_is_behind_and_serves_hides_no_trouble_with_the_keys(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As between a new release and its migration, where much else is looked after."""
    ahead = Ledger("9.0.0", knows="9999", needs="0001")
    monkeypatch.setattr(migrations, "this_ledger", lambda: ahead)
    found = await examined(tmp_path, {"STOCKWIRE_DATABASE_URL": database_url})
    assert (found["migrations"].state, found["admin key"].state) == (FindingState.WARNING, FindingState.WARNING)


async def test_a_database_of_another_program_is_one_finding_among_others(
    empty_database_url: str, tmp_path: Path
) -> None:
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("create table alembic_version as select 'ae1027a6' as version_num")
    await connection.close()
    found = await examined(tmp_path, {"STOCKWIRE_DATABASE_URL": empty_database_url})
    assert found["migrations"].state is FindingState.FAILED
    assert "another program's tables" in found["migrations"].detail
    assert found["clocks"].state is FindingState.GOOD
