"""What an endpoint is sent of a level's events: all of them, or the newest with every edge."""

from typing import Any

import orjson
import pytest

from followers.webhooks.message import EXACT_FIELDS, batch_of, message_of
from followers.webhooks.planning import (
    BACK,
    CHANGED,
    LOW,
    OUT,
    TYPES,
    Interest,
    Moved,
    moved_by,
    parcels_of,
    plan,
    types_of,
)
from followers.webhooks.scopes import Sight, sight_of
from tests.followers.webhooks.events import COMMITTED_AT, chain, event
from wire.availability import DEFAULT_STEPS

EPOCH = "abc-1-1"
BYTES_MAX = 20 * 1024


def interest(*types: str, latest: bool = False, scopes: tuple[str, ...] = ("stock:read:*",), **more: Any) -> Interest:
    wanted = {name: frozenset(more.get(name, ())) for name in ("locations", "skus")}
    return Interest(types=frozenset(types or (CHANGED,)), scopes=frozenset(scopes), latest=latest, **wanted)


def sent(asked: Interest, events: list[dict[str, Any]], *, newest: bool = True) -> list[tuple[str, int]]:
    return [(step.message.type, step.reaches) for step in plan(asked, events, EPOCH, DEFAULT_STEPS, newest=newest)]


def test_every_event_is_sent_by_version() -> None:
    assert sent(interest(), chain(20, 19, 18)) == [(CHANGED, 1), (CHANGED, 2), (CHANGED, 3)]


def test_latest_sends_the_newest_alone() -> None:
    assert sent(interest(latest=True), chain(20, 19, 18)) == [(CHANGED, 3)]


def test_what_is_not_the_newest_is_not_sent_as_if_it_were() -> None:
    assert sent(interest(CHANGED, OUT, latest=True), chain(20, 0, 18), newest=False) == [(OUT, 2)]


def test_edges_are_told_each_time_in_either_mode() -> None:
    events = chain(20, 4, 0, 6, 0, 3, 9)
    edges = [(BACK, 1), (LOW, 2), (OUT, 3), (BACK, 4), (OUT, 5), (BACK, 6)]
    for latest in (False, True):
        assert sent(interest(LOW, OUT, BACK, latest=latest), events) == edges
    assert sent(interest(CHANGED, LOW, OUT, BACK, latest=True), events) == [*edges, (CHANGED, 7)]


def test_units_that_are_reserved_are_gone_as_those_that_are_sold() -> None:
    held = event(2, 0, 1, kind="hold", on_hand_delta=0, reserved_delta=1)
    assert types_of(interest(*TYPES), held, DEFAULT_STEPS) == [CHANGED, OUT, "hold.created"]


def test_the_public_sees_views_and_only_when_they_change() -> None:
    public = interest(*TYPES, scopes=("stock:public:berlin",))
    assert sent(public, chain(20, 19, 4)) == [(CHANGED, 1), (BACK, 1), (CHANGED, 3), (LOW, 3)]
    (step, *_) = plan(public, chain(20), EPOCH, DEFAULT_STEPS)
    assert step.message.version == 7
    assert step.message.data == {
        "sku": "A",
        "location": "berlin",
        "version": 7,
        "availability": "in_stock",
        "quantity": "10+",
    }


def test_the_newest_is_told_to_the_public_even_if_it_saw_no_change_in_it() -> None:
    """As after another epoch: what the public had before says nothing."""
    (*_, unseen) = chain(20, 19)
    for latest in (False, True):
        public = interest(CHANGED, OUT, latest=latest, scopes=("stock:public:berlin",))
        assert sent(public, [unseen]) == [(CHANGED, 2)]
        assert sent(public, [unseen], newest=False) == []
        assert sent(interest(OUT, latest=latest, scopes=("stock:public:berlin",)), [unseen]) == []


@pytest.mark.parametrize(
    ("scopes", "sight"),
    [
        (("stock:read:*",), Sight.EXACT),
        (("stock:read:berlin",), Sight.EXACT),
        (("stock:public:*",), Sight.PUBLIC),
        (("stock:public:berlin", "stock:read:hamburg"), Sight.PUBLIC),
        (("stock:read:hamburg", "feed", "admin"), None),
        ((), None),
    ],
)
def test_an_endpoint_sees_what_its_key_may_see(scopes: tuple[str, ...], sight: Sight | None) -> None:
    assert sight_of(scopes, "berlin") == sight


def test_what_is_not_wanted_leaves_nobody_behind() -> None:
    events = chain(20, 19, 18)
    assert moved_by(interest(), events, DEFAULT_STEPS) == {("berlin", "A"): Moved(1, 3)}
    assert moved_by(interest(OUT), events, DEFAULT_STEPS) == {}
    assert moved_by(interest(skus=("B",)), events, DEFAULT_STEPS) == {}
    assert moved_by(interest(locations=("hamburg",)), events, DEFAULT_STEPS) == {}
    assert moved_by(interest(scopes=("stock:read:hamburg",)), events, DEFAULT_STEPS) == {}


def test_a_message_is_of_its_event_alone_and_the_same_whenever_it_is_made() -> None:
    (made, again) = [message_of(CHANGED, event(3, 5, 6), EPOCH, Sight.EXACT, DEFAULT_STEPS) for _ in range(2)]
    assert made.id == again.id == "abc-1-1_1_103_stock-changed"
    assert made.body() == again.body()
    content = orjson.loads(made.body())
    assert list(content) == ["type", "timestamp", "data"]
    assert content["timestamp"] == COMMITTED_AT
    assert set(content["data"]) == {*EXACT_FIELDS, "epoch"}


def test_messages_with_other_bodies_have_other_ids() -> None:
    told = [
        message_of(type_, event(version, 5, 6), epoch, sight, DEFAULT_STEPS)
        for type_ in (CHANGED, LOW)
        for version in (1, 2)
        for epoch in (EPOCH, "def.1.1")
        for sight in Sight
    ]
    ids = [message.id for message in told]
    batches = [batch_of(told[:2]), batch_of(told[1::-1]), batch_of(told[:3])]
    ids += [batch.id for batch in batches]
    assert len(set(ids)) == len(ids)
    assert not [one for one in ids if "." in one]


def test_a_batch_ends_with_its_number_or_its_bytes() -> None:
    steps = plan(interest(), chain(*range(100, 110)), EPOCH, DEFAULT_STEPS)
    assert [list(parcel.reaches.values()) for parcel in parcels_of(steps, 4, BYTES_MAX)] == [[4], [8], [10]]
    parcels = parcels_of(steps, 100, 2_048)
    assert len(parcels) > 1
    assert all(len(parcel.message.body()) <= 2_048 for parcel in parcels)
    assert [one["data"]["version"] for parcel in parcels for one in parcel.message.data["events"]] == [*range(1, 11)]
    assert [parcel.message.type for parcel in parcels_of(steps, 1, BYTES_MAX)] == [CHANGED] * 10


def test_a_version_of_several_messages_is_reached_with_the_last() -> None:
    steps = plan(interest(CHANGED, BACK, LOW), chain(3, 0), EPOCH, DEFAULT_STEPS)
    assert [step.message.type for step in steps] == [CHANGED, BACK, CHANGED]
    reached = [parcel.reaches["berlin", "A"] for parcel in parcels_of(steps, 1, BYTES_MAX)]
    assert reached == [0, 1, 2]
