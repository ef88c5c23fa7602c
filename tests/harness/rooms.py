"""What each room of tests costs: minutes, processor seconds, the slowest tests; and whether a room outgrew its share.

A room is a folder of tests; what lies beside them at the top is a room of its own. The share of a room is that of
the whole suite's processor seconds, a ratio: a slow machine slows all of them. ``budget.toml`` holds the largest
share that each may take. Judged when all rooms ran, and only there: ``--costs FILE`` adds up what several runs took.
"""

import json
import os
import tomllib
from collections import defaultdict
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

BUDGET = Path(__file__).with_name("budget.toml")
SLOWEST = 10
CPU = "cpu_s"


@dataclass
class Room:
    tests: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0


@dataclass
class Costs:
    """By room, and the seconds of each test by its id."""

    rooms: dict[str, Room] = field(default_factory=lambda: defaultdict(Room))
    tests: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @classmethod
    def kept_in(cls, file: Path | None) -> "Costs":
        costs = cls()
        if file is not None and file.exists():
            kept = json.loads(file.read_text())
            costs.rooms.update({name: Room(**room) for name, room in kept["rooms"].items()})
            costs.tests.update(kept["tests"])
        return costs

    def keep_in(self, file: Path) -> None:
        kept = {"rooms": {name: asdict(room) for name, room in self.rooms.items()}, "tests": self.tests}
        file.write_text(json.dumps(kept))

    def add(self, report: pytest.TestReport) -> None:
        room = self.rooms[room_of(report.nodeid)]
        room.tests += report.when == "call"
        room.wall_s += report.duration
        room.cpu_s += next((float(str(value)) for name, value in report.user_properties if name == CPU), 0.0)
        self.tests[report.nodeid] += report.duration

    def shares(self) -> dict[str, float]:
        whole = sum(room.cpu_s for room in self.rooms.values()) or 1.0
        return {name: room.cpu_s / whole for name, room in self.rooms.items()}


def room_of(nodeid: str) -> str:
    folders = Path(nodeid.split("::")[0]).parts[:-1]
    return folders[1] if len(folders) > 1 and folders[0] == "tests" else folders[0]


def outgrown(shares: dict[str, float], budget: dict[str, float]) -> list[str]:
    """A line for each room that takes more than its budget, or has none. Empty if only a part of the suite ran."""
    if budget.keys() - shares.keys():
        return []
    return [
        f"tests/{room} takes {share:.0%} of the suite's processor time, and may take {budget.get(room, 0):.0%}:"
        f" make its tests cheaper, or give it a larger share in {BUDGET.name}"
        for room, share in sorted(shares.items())
        if share > budget.get(room, 0)
    ]


def read_budget() -> dict[str, float]:
    shares: dict[str, float] = tomllib.loads(BUDGET.read_text())["share"]
    return shares


class Bookkeeper:
    """Counts in every worker, adds up in the process that they report to. ``file``: of what earlier runs took."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._costs = Costs.kept_in(file)
        self._counted_s = _cpu_s()
        self._outgrown: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        now = _cpu_s()
        report.user_properties = [*report.user_properties, (CPU, now - self._counted_s)]
        self._counted_s = now
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._costs.add(report)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if os.environ.get("PYTEST_XDIST_WORKER") is not None:
            return
        if self._file is not None:
            self._costs.keep_in(self._file)
        self._outgrown = outgrown(self._costs.shares(), read_budget())
        if self._outgrown and not exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._file is not None:
            terminalreporter.section("rooms")
            for line in table(self._costs):
                terminalreporter.write_line(line)
            terminalreporter.section(f"{SLOWEST} slowest tests")
            for nodeid, wall_s in sorted(self._costs.tests.items(), key=lambda one: -one[1])[:SLOWEST]:
                terminalreporter.write_line(f"{wall_s:7.1f} s  {nodeid}")
        for line in self._outgrown:
            terminalreporter.write_line(line, red=True)


def table(costs: Costs) -> list[str]:
    """A line for each room, the dearest first. The minutes of tests that ran side by side are added up."""
    shares = costs.shares()
    lines = [f"{'room':<14}{'tests':>7}{'minutes':>9}{'CPU s':>8}{'share':>8}"]
    for name, room in sorted(costs.rooms.items(), key=lambda one: -one[1].cpu_s):
        minutes = room.wall_s / 60
        lines.append(f"{name:<14}{room.tests:>7}{minutes:>9.1f}{room.cpu_s:>8.0f}{shares[name]:>8.1%}")
    return lines


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--costs", type=Path, help="add what each room of tests takes to this file, print it, judge it")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Bookkeeper(config.getoption("--costs")), "rooms")


def _cpu_s() -> float:
    """Of this process and of all that it has started and buried."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
