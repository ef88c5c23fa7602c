"""What rooms and tiers of tests cost: minutes, processor seconds, the slowest tests; and which room outgrew its share.

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

from tests.harness.tiers import tier_of

BUDGET = Path(__file__).with_name("budget.toml")
SLOWEST = 10
BURIED = 0.04
"""Of the suite's processor time, a room may have so much more. A server that many rooms ask lives on from one to the
next, and all that it took is charged where a worker happens to end it: 45 s of 1,550 were seen.
"""
CPU = "cpu_s"
TIER = "tier"


@dataclass
class Cost:
    tests: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0


@dataclass
class Costs:
    """By room, by tier (``tests.harness.tiers``), and the seconds of each test by its id."""

    rooms: dict[str, Cost] = field(default_factory=lambda: defaultdict(Cost))
    tiers: dict[str, Cost] = field(default_factory=lambda: defaultdict(Cost))
    tests: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @classmethod
    def kept_in(cls, file: Path | None) -> "Costs":
        costs = cls()
        if file is not None and file.exists():
            kept = json.loads(file.read_text())
            costs.rooms.update({name: Cost(**room) for name, room in kept["rooms"].items()})
            costs.tiers.update({name: Cost(**tier) for name, tier in kept["tiers"].items()})
            costs.tests.update(kept["tests"])
        return costs

    def keep_in(self, file: Path) -> None:
        rooms, tiers = ({name: asdict(one) for name, one in costs.items()} for costs in (self.rooms, self.tiers))
        file.write_text(json.dumps({"rooms": rooms, "tiers": tiers, "tests": self.tests}))

    def add(self, report: pytest.TestReport) -> None:
        told = dict(report.user_properties)
        for cost in (self.rooms[room_of(report.nodeid)], self.tiers[str(told.get(TIER, "quick"))]):
            cost.tests += report.when == "call"
            cost.wall_s += report.duration
            cost.cpu_s += float(str(told.get(CPU, 0.0)))
        self.tests[report.nodeid] += report.duration

    def shares(self) -> dict[str, float]:
        return shares(self.rooms)


def shares(costs: dict[str, Cost]) -> dict[str, float]:
    whole = sum(one.cpu_s for one in costs.values()) or 1.0
    return {name: one.cpu_s / whole for name, one in costs.items()}


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
        if room not in budget or share > budget[room] + BURIED
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

    def pytest_collection_finish(self) -> None:
        """What it takes to read all tests, in every worker, is no room's: whose tests come first would pay for it."""
        self._counted_s = _cpu_s()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        now = _cpu_s()
        spent = [(CPU, now - self._counted_s), (TIER, tier_of(item))]
        report.user_properties = [*report.user_properties, *spent]
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
            for line in (*table("room", self._costs.rooms), "", *table("tier", self._costs.tiers)):
                terminalreporter.write_line(line)
            terminalreporter.section(f"{SLOWEST} slowest tests")
            for nodeid, wall_s in sorted(self._costs.tests.items(), key=lambda one: -one[1])[:SLOWEST]:
                terminalreporter.write_line(f"{wall_s:7.1f} s  {nodeid}")
        for line in self._outgrown:
            terminalreporter.write_line(line, red=True)


def table(kind: str, costs: dict[str, Cost]) -> list[str]:
    """A line for each room or tier, the dearest first. The minutes of tests that ran side by side are added up."""
    of_whole = shares(costs)
    lines = [f"{kind:<14}{'tests':>7}{'minutes':>9}{'CPU s':>8}{'share':>8}"]
    for name, one in sorted(costs.items(), key=lambda named: -named[1].cpu_s):
        minutes = one.wall_s / 60
        lines.append(f"{name:<14}{one.tests:>7}{minutes:>9.1f}{one.cpu_s:>8.0f}{of_whole[name]:>8.1%}")
    return lines


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--costs", type=Path, help="add what each room of tests takes to this file, print it, judge it")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Bookkeeper(config.getoption("--costs")), "rooms")


def _cpu_s() -> float:
    """Of this process and of all that it has started and buried."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
