"""A ledger and two hubs for each page, over a database of its own: pages make what they use themselves."""

import pytest

from tests.harness.system import System


@pytest.fixture
async def fresh_system(stockwire_system: System) -> System:
    """No location, no item, no level in it."""
    return stockwire_system
