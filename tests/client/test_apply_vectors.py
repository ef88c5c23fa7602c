"""The Python client holds what wire/vectors/apply.json says, after the same messages."""

import json
from typing import Any

import pytest

from stockwire.kind import LEVELS
from stockwire.session import CONNECT_ID, SUBSCRIBE_ID, Session
from tests.wire.vectors import load

VECTORS = load("apply.json")["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_client_holds_what_the_vector_says(vector: dict[str, Any]) -> None:
    assert (CONNECT_ID, SUBSCRIBE_ID) == (1, 2), "the vectors' ids: translate them"
    session = Session(LEVELS, vector["location"], vector["skus"])
    for connection in vector["connections"]:
        session.begin("token")
        for message in connection["messages"]:
            session.receive(json.dumps(message))
        if "closed" in connection:
            session.lost(connection["closed"])
    held = [[level.location, level.sku, level.version, level.available] for level in session.view.values()]
    assert sorted(held) == vector["holds"]
    position = session.view.position
    assert (position and position.body()) == vector["position"]
