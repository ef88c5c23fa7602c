"""What the JavaScript client's own tests say: pure ones, which need node and nothing else."""

import pytest

from tests.harness.node import PACKAGE, run_node

TEST_MS = 60_000
"""Of one file: they are pure, but machines stand still."""

pytestmark = pytest.mark.usefixtures("processes")


def test_the_tests_of_the_javascript_client_pass() -> None:
    files = sorted((PACKAGE / "tests").glob("**/*.test.js"))
    assert files, "none was found: has the folder moved?"
    run_node("--test", "--test-concurrency=2", f"--test-timeout={TEST_MS}", "--test-reporter=spec", *files)
