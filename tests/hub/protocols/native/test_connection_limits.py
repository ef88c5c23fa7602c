"""What one connection may ask a hub to hold for it."""

import json

from hub.limits import Limits
from hub.protocols.native.conversation import Conversation, Greeting
from tests.hub.in_memory import Pipe, make_fanout, open_session
from tests.simulation.history import History
from wire.tokens import Principal


def test_a_connection_may_name_so_many_levels_and_no_more() -> None:
    fanout = make_fanout(History(shards=2))
    session, pipe = open_session(fanout)
    session.principal = Principal("owner", "key", frozenset({"stock:read:*"}))
    limits = Limits(levels_per_connection_max=5)
    conversation = Conversation(fanout, session, limits, Greeting("node", 5))
    _subscribe(conversation, 1, "berlin", ["A", "B", "B", "C"])
    _subscribe(conversation, 2, "paris", ["A", "B", "C"])
    assert _last(pipe) == ("error", 2, "limit")
    _subscribe(conversation, 3, "paris", ["A", "B"])
    _subscribe(conversation, 4, "paris", None)
    assert sorted(session.subscriptions) == [1, 3, 4]
    _subscribe(conversation, 5, "rome", ["A"])
    assert _last(pipe) == ("error", 5, "limit")
    conversation.receive(json.dumps({"type": "unsubscribe", "id": 6, "sub": 1}), wall=0)
    _subscribe(conversation, 7, "rome", ["A", "B", "C"])
    assert sorted(session.subscriptions) == [3, 4, 7]


def _subscribe(conversation: Conversation, id_: int, location: str, skus: list[str] | None) -> None:
    selection = {"location": location} if skus is None else {"location": location, "skus": skus}
    conversation.receive(json.dumps({"type": "subscribe", "id": id_, **selection}), wall=0)


def _last(pipe: Pipe) -> tuple[str, int, str]:
    message = pipe.queue[-1]
    return message["type"], message["id"], message.get("code", "")
