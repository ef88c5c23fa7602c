"""Servers in the tests' own process keep to themselves, and a test that changes the process leaves them alone."""

import logging
import threading

import pytest

from tests.conftest import StartLedger
from tests.harness.own_thread import here_alone


async def test_what_a_resident_logs_is_its_own_and_not_the_tests(
    start_ledger: StartLedger, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await start_ledger()
    logging.getLogger("ledger").warning("said by the test")
    await ledger.stop()
    assert "stopping" in ledger.stderr()
    assert "said by the test" not in ledger.stderr()
    assert [record.message for record in caplog.records if record.name.startswith("ledger")] == ["said by the test"]


def test_a_change_of_the_tests_own_thread_is_not_met_in_another() -> None:
    ask = here_alone(lambda: "the test's", lambda: "the product's")
    heard: list[str] = []
    other = threading.Thread(target=lambda: heard.append(ask()), name="another server")
    other.start()
    other.join()
    assert [ask(), *heard] == ["the test's", "the product's"]
