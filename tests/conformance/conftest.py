"""One ledger and one hub for everything that is sent to the stream port here."""

from collections.abc import Iterator

import pytest

from tests.harness.system import Grounds, ResidentSystem, System


@pytest.fixture(scope="package")
def system(grounds: Grounds) -> Iterator[System]:
    """One ledger and one hub for these tables, with the default limits."""
    with grounds.system(ResidentSystem, _start) as system:
        yield system


async def _start(system: System) -> None:
    await system.start_ledger()
    await system.start_hub()
