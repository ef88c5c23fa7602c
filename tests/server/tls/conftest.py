"""Here certificates are renewed by SIGHUP: servers are processes."""

import pytest

from tests.harness.system import ProcessSystem


@pytest.fixture
def system(process_system: ProcessSystem) -> ProcessSystem:
    return process_system
