"""The Python client holds what wire/vectors/apply.json says, after the same messages."""

import json
from typing import Any

import pytest

from stockwire.asyncio.inbox import Inbox
from stockwire.kind import LEVELS, PUBLIC, ViewKind, thresholds
from stockwire.session import CONNECT_ID, SUBSCRIBE_ID, Session
from stockwire.stream import ThresholdCrossed
from stockwire.threshold import AtLeast, AtMost
from tests.wire.vectors import load

VECTORS = load("apply.json")["vectors"]
HELD = {
    "level": ("available",),
    "view": ("availability", "quantity"),
    "threshold": ("raised",),
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_client_holds_what_the_vector_says(vector: dict[str, Any]) -> None:
    assert (CONNECT_ID, SUBSCRIBE_ID) == (1, 2), "the vectors' ids: translate them"
    kind = kind_of(vector)
    session = Session(kind, vector["location"], vector["skus"])
    told: list[object] = []
    inbox = Inbox(session, "vector")
    inbox.listeners.append(told.append)
    for connection in vector["connections"]:
        session.begin("token")
        for message in connection["messages"]:
            inbox.receive(json.dumps(message))
        if "closed" in connection:
            inbox.lost(connection["closed"])
    names = ("location", "sku", "version", *HELD[kind.message])
    held = [[getattr(level, name) for name in names] for level in session.view.values()]
    assert sorted(held) == vector["holds"]
    position = session.view.position
    assert (position and position.body()) == vector["position"]
    if "told" in vector:
        crossed = [event.threshold for event in told if isinstance(event, ThresholdCrossed)]
        assert [[level.location, level.sku, level.raised] for level in crossed] == vector["told"]


def kind_of(vector: dict[str, Any]) -> ViewKind[Any, Any]:
    public = vector.get("view") == "public"
    when = vector.get("when")
    if when is None:
        return PUBLIC if public else LEVELS
    until = when.get("until")
    asked = AtMost(when["at_most"], until) if "at_most" in when else AtLeast(when["at_least"], until)
    return thresholds(asked, public=public)
