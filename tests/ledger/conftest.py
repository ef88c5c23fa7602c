"""One ledger for all HTTP tests that break nothing; they take names of their own (``unique_name``)."""

from collections.abc import AsyncIterator, Iterator

import pytest

import ledger.process
from ledger.database.engine import COMMIT_SETTINGS
from tests.harness.system import Grounds, ResidentSystem, System
from tests.ledger.api import Api


@pytest.fixture(scope="package")
def http_system(grounds: Grounds) -> Iterator[System]:
    with grounds.system(ResidentSystem, _start) as system:
        yield system


async def _start(system: System) -> None:
    await system.start_ledger(STOCKWIRE_ALLOWED_ORIGINS="https://shop.example")


@pytest.fixture
async def api(http_system: System) -> AsyncIterator[Api]:
    """As an owner who may do everything but be a hub."""
    async with Api(http_system.ledger_url, await http_system.admin_key()) as api:
        yield api


@pytest.fixture
async def hub_api(http_system: System) -> AsyncIterator[Api]:
    async with Api(http_system.ledger_url, await http_system.hub_key()) as api:
        yield api


@pytest.fixture
async def anonymous(http_system: System) -> AsyncIterator[Api]:
    async with Api(http_system.ledger_url, None) as api:
        yield api


@pytest.fixture
def patient_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ledgers that this test starts wait for locked rows until the statement's own 10 s are over.

    2 s, and once more, are over on a busy machine before the test has looked at what waits. Ledgers that were started
    before keep theirs.
    """
    monkeypatch.setattr(ledger.process, "COMMIT_SETTINGS", {**COMMIT_SETTINGS, "lock_timeout": "0"})
