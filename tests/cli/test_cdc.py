"""What `stockwire migrate --cdc` and `cdc-config` say, and what the doctor finds of slots: each with its fix."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from cli import cdc
from cli.cdc import Place
from cli.doctor import examine
from cli.findings import FindingState
from cli.slot_findings import slots_findings
from ledger.database.slots import READ, Slot, Slots, slots_of
from ledger.migrations.cdc import SetUp
from server.settings.environment import SettingsError
from tests.cli.running import PROGRAM
from tests.cli.test_migrate import environment
from tests.deploy.debezium.example import FOLDER, PLACE, files
from tests.docs.pages import HOW_TOS, block
from tests.harness.waiting import PATIENCE_S

PAGE = next(page for page in HOW_TOS if page.name == "debezium.md")
UNLIMITED = float("inf")
FOLLOWS = Slot("stockwire", True, 2.0**20, 2.0**30, False, "", False)
GOOD = Slots("logical", True, (FOLLOWS,))


def test_the_example_is_what_the_command_prints() -> None:
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == files(), (
        "write it anew: .venv/bin/python -m tests.deploy.debezium.example"
    )


def configuration(place: Place = PLACE, prefix: str = "stockwire") -> dict[str, str]:
    return cdc.connector(place, prefix=prefix, system="shop", role="stockwire_cdc")


def test_only_a_postgresql_that_has_them_is_asked_for_a_failover_slot() -> None:
    assert configuration()["slot.failover"] == "true"
    assert "slot.failover" not in configuration(replace(PLACE, version=160004))


def test_a_slot_is_called_by_a_name_that_postgresql_takes() -> None:
    assert configuration(prefix="Shop-1")["slot.name"] == "shop_1"


def test_no_password_stands_in_a_configuration() -> None:
    assert configuration()["database.password"].startswith("${file:")


def test_properties_are_read_as_java_reads_them() -> None:
    assert r"transforms.topic.regex=stockwire\\.public\\.stock_event" in cdc.as_properties("a", configuration())


@pytest.mark.parametrize(
    ("url", "host", "address"),
    [
        ("postgresql://u@db.example:5433/x", None, ("db.example", 5433)),
        ("postgresql://u@a,b:5434/x", None, ("a", 5432)),
        ("postgresql://u@/x?host=/run/postgresql", "db.example", ("db.example", 5432)),
        ("postgresql://u@/x?host=/run/postgresql", "db.example:6", ("db.example", 6)),
    ],
)
def test_debezium_is_led_to_a_host(url: str, host: str | None, address: tuple[str, int]) -> None:
    assert cdc.address_of(url, host) == address


def test_a_socket_is_refused_with_the_fix() -> None:
    with pytest.raises(SettingsError, match="--host HOST:PORT"):
        cdc.address_of("postgresql://u@/x?host=/run/postgresql", None)


def test_what_is_still_missing_is_said_with_its_fix() -> None:
    sound = SetUp("stockwire_cdc", False, True, "logical")
    assert cdc.told(sound).count("\n") == 1
    assert "\\password stockwire_cdc" in cdc.told(sound._replace(made=True))
    assert "alter role stockwire_cdc login replication" in cdc.told(sound._replace(replicates=False))
    assert "Set wal_level = logical" in cdc.told(sound._replace(wal_level="replica"))


@pytest.mark.usefixtures("processes")
async def test_the_how_to_sets_up_and_undoes_and_the_doctor_says_what_is_missing(
    database_url: str, tmp_path: Path
) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert slots_findings(slots_of(await connection.fetch(READ))) == []
        done = _shell(database_url, tmp_path, block(PAGE, "sh", "set-up"))
        assert done.returncode == 0, done.stderr
        assert "wal_level is replica" in done.stdout
        config = json.loads((tmp_path / "connector.json").read_text())["config"]
        epoch = await connection.fetchval("select epoch from ledger_meta")
        assert config["transforms.epoch.value.literal"].startswith(f"{epoch}-")
        assert (config["database.hostname"], config["database.user"]) == ("db.internal", "stockwire_cdc")
        report = await examine(tmp_path, {"STOCKWIRE_DATABASE_URL": database_url}, audit=False, read_only=True)
        (found,) = [one for one in report.findings if one.check == "change data capture"]
        assert found.state is FindingState.WARNING
        assert found.fix == "set wal_level = logical, and start PostgreSQL again"
        await connection.execute(block(PAGE, "sql", "undo"))
        assert not slots_of(await connection.fetch(READ)).any
        assert not await connection.fetchval("select exists(select from pg_roles where rolname = 'stockwire_cdc')")
    finally:
        await connection.close()


def _shell(url: str, folder: Path, text: str) -> "subprocess.CompletedProcess[str]":
    variables = environment(url)
    variables["PATH"] = f"{PROGRAM.parent}:{variables['PATH']}"
    return subprocess.run(
        ["bash", "-ec", text],
        env=variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("arguments", [("--cdc", "--contract"), ("--cdc", "--plan"), ("--cdc", "--cdc-role", "a b")])
@pytest.mark.usefixtures("processes")
def test_what_makes_no_sense_together_is_refused_before_anything_is_done(arguments: tuple[str, ...]) -> None:
    url = "postgresql://nobody@127.0.0.1:1/x"
    done = subprocess.run(
        [PROGRAM, "migrate", *arguments], env=environment(url), capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("found", "checks"),
    [
        (GOOD, {"slot stockwire": (FindingState.GOOD, "")}),
        (GOOD._replace(slots=()), {"change data capture": (FindingState.SKIPPED, "")}),
        (GOOD._replace(slots=(), published=False), {}),
        (
            GOOD._replace(slots=(FOLLOWS._replace(bytes_max=UNLIMITED),)),
            {"slot stockwire": (FindingState.GOOD, ""), "slot limit": (FindingState.WARNING, "max_slot_wal_keep_size")},
        ),
        (
            GOOD._replace(slots=(FOLLOWS._replace(active=False),)),
            {"slot stockwire": (FindingState.WARNING, "pg_drop_replication_slot('stockwire')")},
        ),
        (
            GOOD._replace(slots=(FOLLOWS._replace(retained_bytes=2.0**29 + 1),)),
            {"slot stockwire": (FindingState.WARNING, "the broker")},
        ),
        (
            GOOD._replace(slots=(FOLLOWS._replace(bytes_max=1e11, retained_bytes=1e10 + 1),)),
            {"slot stockwire": (FindingState.WARNING, "the broker")},
        ),
        (
            GOOD._replace(slots=(FOLLOWS._replace(bytes_max=UNLIMITED, retained_bytes=1e10 + 1),)),
            {
                "slot stockwire": (FindingState.WARNING, "the broker"),
                "slot limit": (FindingState.WARNING, "max_slot_wal_keep_size"),
            },
        ),
        (
            GOOD._replace(slots=(FOLLOWS._replace(ending=True),)),
            {"slot stockwire": (FindingState.FAILED, "at once")},
        ),
        (
            GOOD._replace(slots=(FOLLOWS._replace(lost=True, active=False, reason="idle_timeout"),)),
            {"slot stockwire": (FindingState.FAILED, "make both anew")},
        ),
        (
            GOOD._replace(wal_level="replica", slots=()),
            {"change data capture": (FindingState.WARNING, "wal_level = logical")},
        ),
    ],
)
def test_the_doctor_says_what_is_wrong_with_slots(found: Slots, checks: dict[str, tuple[FindingState, str]]) -> None:
    findings = {one.check: one for one in slots_findings(found)}
    assert {check: one.state for check, one in findings.items()} == {
        check: state for check, (state, _) in checks.items()
    }
    for check, (_, fix) in checks.items():
        assert fix in findings[check].fix
