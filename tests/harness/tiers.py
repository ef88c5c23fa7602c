"""The tiers of tests, told from the fixtures that each uses.

quick     everything in the test's own process, over the run's own PostgreSQL and Valkey
pure      what of the quick ones needs neither: ``make check`` runs it
process   starts programs: it asks for the fixture ``processes``, itself or through another
campaign  breaks and loads whole systems for long: it asks for ``campaign``, and is run last, at full size alone

Campaigns take their counts from ``tests.harness.size``: ``make test`` runs a fifth of them. Tests of other tiers
that do the same ask for ``sized``, which is a mark as well: ``make campaign`` runs these whole too.

A quick test that starts a program fails and says so: a process costs as much as a hundred tests. The
client's own tests, which are given away with it, know nothing of tiers: they are quick, and may.
"""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

SERVERS = frozenset({"postgres", "valkey", "watchdog"})
"""Fixtures of programs that a quick test may stand on: they are started once for a run."""
STARTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec"})
"""Audit events, as Python's table of them names them."""
TIERS = {
    "quick": "in the test's own process, over the run's PostgreSQL and Valkey",
    "pure": "quick, and needs neither",
    "process": "starts programs",
    "campaign": "breaks or loads whole systems for long; run last",
    "sized": "no campaign, and as large as campaigns are",
}

IN_PROCESS = ("quick", "pure")

OWN_TIERS = "client-sdk"

_quick: list[str] = []
"""The quick test that runs now, if it is one."""


def tier_of(item: pytest.Item) -> str:
    """Of two that fit the narrower: a pure test is a quick one too."""
    fixtures = set(getattr(item, "fixturenames", ()))
    if "campaign" in fixtures:
        return "campaign"
    if "processes" in fixtures:
        return "process"
    return "quick" if fixtures & {"postgres", "valkey"} else "pure"


@pytest.fixture(scope="session")
def processes() -> None:
    """This test starts programs, or stands on some that are its own."""


@pytest.fixture(scope="session")
def campaign(processes: None) -> None:
    """This test breaks or loads whole systems for long."""


@pytest.fixture(scope="session")
def sized() -> None:
    """This test takes its counts from ``tests.harness.size``, and is no campaign."""


def pytest_configure(config: pytest.Config) -> None:
    for tier, meaning in TIERS.items():
        config.addinivalue_line("markers", f"{tier}: {meaning}; told from its fixtures")
    sys.addaudithook(_refuse)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        tier = tier_of(item)
        item.add_marker(tier)
        if tier == "pure":
            item.add_marker("quick")
        if "sized" in getattr(item, "fixturenames", ()):
            item.add_marker("sized")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    with _watching(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with _watching(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
    if fixturedef.argname not in SERVERS:
        return (yield)
    with _watching(None):
        return (yield)


@contextmanager
def _watching(item: pytest.Item | None) -> Iterator[None]:
    before = _quick[:]
    watched = item is not None and tier_of(item) in IN_PROCESS and OWN_TIERS not in item.path.parts
    _quick[:] = [item.nodeid] if item is not None and watched else []
    try:
        yield
    finally:
        _quick[:] = before


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Called by Python for everything that it audits, which is much: the first comparison ends it."""
    if event in STARTS and _quick:
        started = arguments[1] if event == "subprocess.Popen" else event
        raise AssertionError(f"{_quick[0]} starts a program ({started}): a test that does asks for `processes`")
