"""The shard of a location: were it another after an upgrade, ledgers and hubs would look for its levels elsewhere."""

from typing import Any

import pytest

from tests.wire.vectors import load
from wire.shards import shard_of


@pytest.mark.parametrize(
    "vector", load("shards.json")["vectors"], ids=lambda vector: f"{vector['location']} {vector['shards']}"
)
def test_a_location_stands_in_the_shard_of_the_vectors(vector: dict[str, Any]) -> None:
    assert shard_of(vector["location"], vector["shards"]) == vector["shard"]
