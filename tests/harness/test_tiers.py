"""Tests are told apart by what they use, what a quick one may not do is refused, and no room outgrows its share."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from tests.harness.processes import ROOT, clean_environment
from tests.harness.rooms import CPU, TIER, Costs, outgrown, read_budget, room_of, table
from tests.harness.size import FIFTH, VARIABLE, Size, read_size
from tests.harness.waiting import PATIENCE_S

PLANTED = """
import subprocess, sys
import pytest

pytest_plugins = ("tests.harness.tiers",)

def test_quick(): subprocess.run([sys.executable, "-c", ""])

def test_quick_and_good(): pass

@pytest.fixture
def prepared(): subprocess.run([sys.executable, "-c", ""])

def test_prepared(prepared): pass

@pytest.mark.usefixtures("processes")
def test_process(): subprocess.run([sys.executable, "-c", ""], check=True)

@pytest.mark.usefixtures("campaign")
def test_campaign(): subprocess.run([sys.executable, "-c", ""], check=True)

def test_as_large(sized): pass

@pytest.fixture
def postgres(): subprocess.run([sys.executable, "-c", ""], check=True)

def test_on_a_shared_server(postgres): pass
"""


BUSY_S = 2.0
SLOW_TO_READ = f"""
import time

ends = time.process_time() + {BUSY_S}
while time.process_time() < ends: pass

def test_it(): pass
"""

SAYS_MARKS = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    for item in items:
        print(f"marks of {item.name}:", *sorted({mark.name for mark in item.iter_markers()} - {"usefixtures"}))
"""


def run(tmp_path: Path, *arguments: str) -> str:
    (tmp_path / "test_planted.py").write_text(PLANTED)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-ra", *arguments, str(tmp_path)],
        cwd=ROOT,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.usefixtures("processes")
def test_a_quick_test_that_starts_a_program_fails_and_says_what_to_do(tmp_path: Path) -> None:
    said = run(tmp_path)
    assert "1 failed, 5 passed, 1 error" in said, said
    assert "test_planted.py::test_quick starts a program" in said
    assert "a test that does asks for `processes`" in said


@pytest.mark.usefixtures("processes")
def test_a_tier_is_told_from_the_fixtures_and_chosen_by_its_mark(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(SAYS_MARKS)
    said = run(tmp_path, "-s", "--collect-only", "-m", "not campaign")
    assert [line for line in said.splitlines() if line.startswith("marks of ")] == [
        "marks of test_quick: pure quick",
        "marks of test_quick_and_good: pure quick",
        "marks of test_prepared: pure quick",
        "marks of test_process: process",
        "marks of test_as_large: pure quick sized",
        "marks of test_on_a_shared_server: quick",
    ], said
    assert "6/7 tests collected (1 deselected)" in said, said


def reported(nodeid: str, when: Literal["setup", "call"], tier: str, cpu_s: float) -> pytest.TestReport:
    told = [(CPU, cpu_s), (TIER, tier)]
    return pytest.TestReport(nodeid, (nodeid, 1, ""), {}, "passed", None, when, duration=60, user_properties=told)


def test_what_tests_cost_is_added_up_by_room_and_tier_over_several_runs(tmp_path: Path) -> None:
    file = tmp_path / "costs.json"
    for report in (
        reported("tests/hub/test_a.py::test_a", "setup", "process", 0.5),
        reported("tests/hub/test_a.py::test_a", "call", "process", 1.0),
        reported("tests/wire/test_b.py::test_b", "call", "pure", 0.5),
    ):
        costs = Costs.kept_in(file)
        costs.add(report)
        costs.keep_in(file)
    assert table("tier", Costs.kept_in(file).tiers) == [
        "tier            tests  minutes   CPU s   share",
        "process             1      2.0       2   75.0%",
        "pure                1      1.0       0   25.0%",
    ]
    assert table("room", Costs.kept_in(file).rooms)[1].split() == ["hub", "1", "2.0", "2", "75.0%"]


@pytest.mark.usefixtures("processes")
def test_reading_the_tests_is_charged_to_none_of_them(tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    (room / "test_slow_to_read.py").write_text(SLOW_TO_READ)
    costs = tmp_path / "costs.json"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.harness.rooms"]
    command += [f"--costs={costs}", f"--rootdir={tmp_path}", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=clean_environment({}), timeout=PATIENCE_S, check=True, capture_output=True)
    assert Costs.kept_in(costs).rooms["room"].cpu_s < BUSY_S / 2


def test_a_room_that_outgrew_its_budget_is_named_with_its_share() -> None:
    budget = {"hub": 0.5, "ledger": 0.4}
    assert outgrown({"hub": 0.53, "ledger": 0.4}, budget) == [], "another room's server may have ended there"
    (line,) = outgrown({"hub": 0.55, "ledger": 0.4}, budget)
    assert "tests/hub takes 55%" in line
    assert "may take 50%" in line
    (line,) = outgrown({"hub": 0.4, "ledger": 0.4, "new": 0.1}, budget)
    assert "tests/new takes 10%" in line, "a room without a budget has none to take"
    assert outgrown({"hub": 1.0}, budget) == [], "a part of the suite says nothing of shares"


def test_a_campaign_is_a_fifth_of_itself_unless_it_is_told_to_be_whole() -> None:
    assert read_size({}) == read_size({VARIABLE: ""}) == Size(FIFTH)
    assert (Size(FIFTH).of(1_000), Size(FIFTH).of(2)) == (200, 1), "one kill at least"
    whole = read_size({VARIABLE: "1"})
    assert (whole.of(1_000), whole.of(2)) == (1_000, 2)
    assert whole.timeout_s > Size(FIFTH).timeout_s


@pytest.mark.parametrize("given", ["0", "-1", "a fifth", "nan", "inf"])
def test_a_share_that_is_none_ends_the_run_with_its_reason(given: str) -> None:
    with pytest.raises(pytest.UsageError, match=f"{VARIABLE}={given} is no share"):
        read_size({VARIABLE: given})


def test_every_room_has_a_budget_and_every_budget_a_room() -> None:
    rooms = {room_of(str(path.relative_to(ROOT))) for path in (ROOT / "tests").rglob("test_*.py")}
    assert rooms | {"client-sdk"} == set(read_budget())
