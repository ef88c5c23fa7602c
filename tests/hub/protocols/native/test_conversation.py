"""What a client may say on a connection and what it is answered, without any connection."""

import json
from typing import Any

import pytest

from hub.endings import Ending
from hub.errors import Ended
from hub.limits import Limits
from hub.protocols.native.conversation import Authenticate, Conversation, Greeting
from server.problems import Unauthorized
from tests.hub.in_memory import Pipe, make_fanout, open_session
from tests.simulation.history import History
from wire.tokens import Principal

WALL = 1_000_000.0
LIMITS = Limits(subscriptions_max=2, skus_max=3)
CONNECT = {"type": "connect", "id": 1, "token": "a token"}


class Client:
    """``say`` one message after the other; what was answered stands in ``heard``, last the newest."""

    def __init__(self, *, authorized: bool = False) -> None:
        fanout = make_fanout(History(shards=2))
        self.session, self._pipe = open_session(fanout)
        if authorized:
            self.session.principal = reader()
        self.conversation = Conversation(fanout, self.session, LIMITS, Greeting("node", 5))

    @property
    def heard(self) -> dict[str, Any]:
        pipe: Pipe = self._pipe
        return pipe.queue[-1]

    def say(self, message: object) -> Authenticate | None:
        data = message if isinstance(message, str | bytes) else json.dumps(message)
        return self.conversation.receive(data, WALL)

    def ends(self, message: object) -> Ending:
        """How a message ends the connection."""
        with pytest.raises(Ended) as ended:
            self.say(message)
        return ended.value.ending

    def connect(self, principal: Principal | None = None) -> None:
        asked = self.say(CONNECT)
        assert asked is not None
        assert asked.token == CONNECT["token"]
        self.conversation.authenticated(asked, principal or reader(), WALL)


def reader(*scopes: str, expires_at: int | None = None) -> Principal:
    return Principal("shop", "key", frozenset(scopes or {"stock:read:berlin"}), expires_at)


def subscribing(**fields: object) -> dict[str, object]:
    return {"type": "subscribe", "id": 2, "location": "berlin", **fields}


@pytest.mark.parametrize(
    ("message", "code", "id_"),
    [
        ({"type": "fly", "id": 1}, "unknown-type", 1),
        ({"id": 6}, "invalid", 6),
        (subscribing(id=-1), "invalid", None),
        (subscribing(id="1"), "invalid", None),
        (subscribing(id=2**53), "invalid", None),
        ({"type": "subscribe", "id": 2}, "invalid", 2),
        (subscribing(location="a/b"), "invalid", 2),
        (subscribing(location=""), "invalid", 2),
        (subscribing(location="x" * 65), "invalid", 2),
        (subscribing(skus=[]), "invalid", 2),
        (subscribing(skus=["a b"]), "invalid", 2),
        (subscribing(skus=list("ABCD")), "limit", 2),
        (subscribing(location="*", skus=["A"]), "invalid", 2),
        (subscribing(since={"epoch": "e", "seq": {"0": -1}}), "invalid", 2),
        (subscribing(when={"at_most": 1, "at_least": 2}), "invalid", 2),
        (subscribing(when={}), "invalid", 2),
        (subscribing(when={"at_least": 0}), "invalid", 2),
        (subscribing(when={"at_most": 3, "until": 3}), "invalid", 2),
        (subscribing(when={"at_least": 3, "until": 3}), "invalid", 2),
        (subscribing(when={"at_most": 3}, since={"epoch": "e", "seq": {"0": 1}}), "invalid", 2),
        (subscribing(location="secret"), "forbidden", 2),
        (subscribing(location="*"), "forbidden", 2),
        ({"type": "unsubscribe", "id": 4, "sub": 99}, "not-found", 4),
    ],
)
def test_a_wrong_request_is_answered_and_the_next_one_served(message: object, code: str, id_: int | None) -> None:
    client = Client()
    client.connect()
    assert client.say(message) is None
    assert (client.heard["type"], client.heard["code"], client.heard["id"]) == ("error", code, id_)
    assert not client.session.subscriptions
    client.say(subscribing())
    assert list(client.session.subscriptions) == [2]


def test_an_id_is_taken_once_and_a_connection_has_so_many_subscriptions() -> None:
    client = Client(authorized=True)
    client.say(subscribing(skus=["A", "A"], unknown_field=1))
    client.say(subscribing())
    assert client.heard["code"] == "invalid"
    client.say(subscribing(id=3))
    client.say(subscribing(id=4))
    assert client.heard["code"] == "limit"
    client.say({"type": "unsubscribe", "id": 5, "sub": 2})
    assert (client.heard["type"], client.heard["sub"]) == ("unsubscribed", 2)
    client.say(subscribing(id=6))
    assert sorted(client.session.subscriptions) == [3, 6]


@pytest.mark.parametrize(
    ("messages", "ending"),
    [
        (["no json"], Ending.UNREADABLE),
        (["[" * 30_000], Ending.UNREADABLE),
        ([CONNECT, "{"], Ending.UNREADABLE),
        (["[1]"], Ending.NO_OBJECT),
        ([b"{}"], Ending.BINARY),
        ([CONNECT, b"{}"], Ending.BINARY),
        ([CONNECT, CONNECT], Ending.CONNECT_REPEATED),
        ([subscribing()], Ending.CONNECT_MISSING),
        ([{"type": "refresh", "id": 1, "token": "a token"}], Ending.CONNECT_MISSING),
        ([{"type": "fly", "id": 1}], Ending.CONNECT_UNREADABLE),
    ],
)
def test_what_breaks_the_protocol_ends_the_connection(messages: list[object], ending: Ending) -> None:
    client = Client()
    *before, last = messages
    if before:
        client.connect()
    assert client.ends(last) is ending


def test_a_token_that_is_not_taken_ends_the_connection_and_says_whether_it_has_ended() -> None:
    for expired, ending in ((False, Ending.TOKEN_REFUSED), (True, Ending.TOKEN_EXPIRED_BEFORE)):
        client = Client()
        asked = client.say(CONNECT)
        assert asked is not None
        with pytest.raises(Ended) as ended:
            client.conversation.unauthorized(asked, Unauthorized("no", expired=expired))
        assert ended.value.ending is ending


def test_who_may_read_no_stock_is_told_so() -> None:
    client = Client()
    with pytest.raises(Ended) as ended:
        client.connect(reader("stock:write:berlin", "feed"))
    assert ended.value.ending is Ending.NO_SCOPE


def test_a_token_is_said_to_end_at_a_time_and_in_seconds() -> None:
    client = Client()
    client.connect(reader("stock:read:berlin", expires_at=int(WALL) + 90))
    assert (client.heard["type"], client.heard["node"], client.heard["expires_in_s"]) == ("connected", "node", 90)
    assert client.heard["expires_at"] == "1970-01-12T13:48:10.000000Z"
    client = Client(authorized=True)
    client.say({"type": "connect", "id": 1})
    assert client.heard["type"] == "connected", "the upgrade was authorized"
    assert (client.heard["expires_at"], "expires_in_s" in client.heard) == (None, False)


def test_a_token_that_does_not_cover_what_is_watched_is_refused_and_the_one_before_stays() -> None:
    client = Client()
    client.connect()
    client.say(subscribing())
    refresh = {"type": "refresh", "id": 7, "token": "another"}
    asked = client.say(refresh)
    assert asked is not None
    client.conversation.unauthorized(asked, Unauthorized("no"))
    assert (client.heard["type"], client.heard["code"]) == ("error", "unauthorized")
    client.conversation.authenticated(asked, reader("stock:read:paris"), WALL)
    assert (client.heard["type"], client.heard["code"]) == ("error", "forbidden")
    assert client.session.principal == reader()
    wider = reader("stock:read:*", expires_at=int(WALL) + 5)
    client.conversation.authenticated(asked, wider, WALL)
    assert (client.heard["type"], client.heard["expires_in_s"]) == ("refreshed", 5)
    assert client.session.principal == wider
