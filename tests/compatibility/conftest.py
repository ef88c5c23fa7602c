"""The release before this version, from the repository's own history."""

import pytest

from tests.harness import releases


@pytest.fixture(scope="session")
def version_before(processes: None) -> str:
    """Its commit. Skips where no history reaches back to it, as in an unpacked archive."""
    if not releases.is_whole():
        pytest.skip("there is no history that reaches back to a release")
    version = releases.version_before()
    commit = releases.commit_of(version)
    assert commit is not None, f"no commit has brought the heading of {version} into the changelog"
    return commit
