"""What becomes of an operation whose sender has gone."""

import asyncio
import gc
import logging

import pytest

from ledger.commit.pending import Pending
from server.problems import Overloaded
from tests.ledger.commit_path import line, operation


async def test_a_refusal_that_nobody_waits_for_any_more_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """Each client that hung up would be a line in the log."""
    caplog.set_level(logging.ERROR)
    Pending(operation(line("A", "berlin", -1)), 0.0).fail(Overloaded("full"))
    gc.collect()
    await asyncio.sleep(0)
    assert not caplog.records
