"""What a visitor may ask for on one connection, and that it costs the others nothing."""

import json
from typing import Any

import pytest

from hub.entry.visitors import NEW_LEVEL, Port, Visitors
from hub.fanout.fanout import Bounds, Fanout
from hub.limits import Limits, VisitorLimits
from hub.protocols.native.conversation import Conversation, Greeting
from tests.hub.in_memory import Loads, batch, make_fanout, open_session
from tests.simulation.history import History
from wire.tokens import Principal

HERE = [f"S{number}" for number in range(6)]


def _shop() -> Fanout:
    """Six levels at ``web``, held from the start."""
    history = History(shards=2)
    history.commit("web", *HERE)
    fanout = make_fanout(history, bounds=Bounds(whole=("web",)))
    Loads(fanout, history).all()
    return fanout


class Page:
    def __init__(self, fanout: Fanout, visitors: Visitors) -> None:
        self.session, self._pipe = open_session(fanout)
        self.conversation = Conversation(fanout, self.session, Limits(), Greeting("node", 5))
        visit = visitors.come(Port.STREAM, "a", lambda _: None, crowded=False)
        asked = self.say(type="connect")
        assert asked is not None
        assert asked.token is None
        self.conversation.welcome(visitors, visit)
        self.conversation.authenticated(asked, visitors.principal, 0.0)
        self._id = 1

    @property
    def heard(self) -> dict[str, Any]:
        return self._pipe.queue[-1]

    def watch(self, skus: list[str] | None = None, location: str = "web", **fields: Any) -> str:
        """``subscribed``, or the code of the error."""
        self._id += 1
        self.say(type="subscribe", id=self._id, location=location, **({"skus": skus} if skus else {}), **fields)
        return str(self.heard.get("code", self.heard["type"]))

    def unwatch(self, sub: int) -> None:
        self.say(type="unsubscribe", id=99, sub=sub)

    def say(self, **message: Any) -> Any:
        return self.conversation.receive(json.dumps({"id": 1, **message}), 0.0)


def _visitors(**limits: int) -> Visitors:
    return Visitors(VisitorLimits(**limits), Limits(), ["web"], ["https://shop.example"])


def test_a_visitor_sees_what_the_public_sees_of_public_locations_and_nothing_else() -> None:
    page = Page(_shop(), _visitors())
    assert page.watch(HERE) == "forbidden"
    assert page.watch(HERE, when={"at_most": 5}) == "forbidden"
    assert page.watch(HERE, "back-room", view="public") == "forbidden"
    assert "STOCKWIRE_HUB_PUBLIC_LOCATIONS" in page.heard["message"]  # who writes the page may well run the hub
    assert page.watch(None, "*", view="public") == "forbidden"
    assert page.watch(HERE, view="public") == "subscribed"
    assert page.watch(HERE, view="public", when={"at_least": 1}) == "subscribed"
    assert page.watch(view="public") == "subscribed"


def test_a_visitor_names_and_subscribes_so_much_and_no_more() -> None:
    page = Page(_shop(), _visitors(subscriptions_max=2, skus_max=6))
    assert page.watch([*HERE, "another"], view="public") == "limit"
    assert page.watch(HERE[:4], view="public") == "subscribed"
    assert page.watch(HERE[3:], view="public") == "limit", "over all its subscriptions"
    assert page.watch(HERE[4:], view="public") == "subscribed"
    assert page.watch(HERE[:1], view="public") == "limit"
    small = Page(_shop(), _visitors(skus_max=5))
    assert small.watch(view="public") == "limit", "the location is larger than what it may name"


def test_a_threshold_of_a_whole_location_waits_until_it_is_known_how_large_that_is() -> None:
    history = History(shards=2)
    history.commit("web", *HERE)
    fanout = make_fanout(history, bounds=Bounds(whole=("web",)))
    page = Page(fanout, _visitors())
    assert page.watch(view="public", when={"at_most": 5}) == "limit"
    assert page.watch(view="public") == "subscribed", "that one is here for everybody"
    Loads(fanout, history).all()
    assert page.watch(view="public", when={"at_most": 5}) == "subscribed"


def test_what_visitors_name_together_is_bounded_and_what_they_make_up_counts_more() -> None:
    fanout, visitors = _shop(), _visitors(levels_max=6 + 2 * NEW_LEVEL)
    first, second = Page(fanout, visitors), Page(fanout, visitors)
    assert first.watch(HERE, view="public") == "subscribed"
    assert second.watch(["X", "Y", "Z"], view="public") == "limit"
    assert second.watch(["X", "Y"], view="public") == "subscribed"
    assert second.watch(HERE[:1], view="public") == "limit"
    assert first.watch(HERE[:1], view="public") == "limit"
    first.unwatch(2)
    assert second.watch(HERE, view="public") == "subscribed"
    assert first.watch(HERE[:1], view="public", when={"at_most": 5}) == "limit", "a threshold is a level of its own"


def test_made_up_names_ask_the_ledger_nothing_and_are_gone_with_who_made_them_up() -> None:
    fanout = _shop()
    before = fanout.levels.count
    page = Page(fanout, _visitors())
    for round_ in range(3):
        assert page.watch([f"made-up-{round_}-{number}" for number in range(50)], view="public") == "subscribed"
        assert page.watch(HERE, view="public", when={"at_most": 1 + round_}) == "subscribed"
        assert not fanout.levels.wanted
        for sub in list(page.session.subscriptions):
            page.unwatch(sub)
        assert fanout.levels.count == before
    page.watch(["made-up"], view="public")
    fanout.leave(page.session)
    assert fanout.levels.count == before


def test_a_level_that_comes_into_being_while_its_name_is_watched_is_told_and_stays() -> None:
    history = History(shards=2)
    fanout = make_fanout(history, bounds=Bounds(whole=("web",)))
    Loads(fanout, history).all()
    page = Page(fanout, _visitors())
    page.watch(["new"], view="public")
    fanout.delivery.flush()
    assert page.heard["views"][0]["version"] == 0
    events = history.commit("web", "new")
    fanout.broker(batch(events), 0.0)
    fanout.delivery.flush()
    told = page.heard
    assert (told["type"], told["sku"], told["quantity"]) == ("view", "new", "1+")
    fanout.leave(page.session)
    assert fanout.levels.locations["web"]["new"].seq == events[0].seq


def test_whoever_shows_a_token_later_is_no_visitor_any_more() -> None:
    page = Page(_shop(), _visitors(subscriptions_max=1))
    assert page.watch(HERE, view="public") == "subscribed"
    assert page.watch(HERE, view="public") == "limit"
    asked = page.say(type="refresh", id=50, token="a token")
    page.conversation.authenticated(asked, Principal("ann", "key", frozenset({"stock:read:web"})), 0.0)
    assert page.watch(HERE, view="public") == "subscribed"
    assert page.watch(HERE) == "subscribed"


@pytest.mark.parametrize("name", ["skus", "subscriptions"])
def test_a_refused_request_leaves_the_visitor_what_it_has(name: str) -> None:
    page = Page(_shop(), _visitors(skus_max=6, subscriptions_max=8))
    assert page.watch(HERE[:3], view="public") == "subscribed"
    assert page.watch([f"{name}{number}" for number in range(7)], view="public") == "limit"
    assert page.watch(HERE[3:], view="public") == "subscribed"
