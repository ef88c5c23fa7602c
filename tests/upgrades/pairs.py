"""Which releases are neighbours: the first of each two is what the second is an upgrade of."""

import pytest

PAIRS = [("the one before", "this"), ("this", "the next")]

pairs = pytest.mark.parametrize(("old", "new"), PAIRS, indirect=True, ids=[f"{old} and {new}" for old, new in PAIRS])
