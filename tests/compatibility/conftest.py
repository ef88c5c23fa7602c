"""The release before this version, from the repository's own history."""

import pytest

from tests.harness import releases
from tests.harness.release_tree import require_history


@pytest.fixture(scope="session")
def version_before(processes: None) -> str:
    """Its commit. Skips the test, or fails it, where no history reaches back to it, as in an unpacked archive."""
    require_history()
    version = releases.version_before()
    commit = releases.commit_of(version)
    assert commit is not None, f"no commit has brought the heading of {version} into the changelog"
    return commit
