"""What a channel says that nobody should: it stops that channel at most, and never the process that holds it."""

import math
import time

import orjson
import pytest

from followers.database.database import Database
from followers.database.leases import Lease
from followers.marketplaces.adapter import Answer, Remote, RemoteAway
from followers.marketplaces.amazon.queue import PROOF, Queue
from followers.marketplaces.buckets import EMPTY_S_MAX, Bucket
from followers.marketplaces.channels import Channel, Channels, Wish
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.listings import all_of
from followers.marketplaces.orders.notices import Notices
from followers.marketplaces.orders.shelf import Shelf
from followers.marketplaces.positions import Positions
from followers.marketplaces.pushing import outgoing
from followers.marketplaces.pushing.outgoing import WAIT_S_MAX, Doubt, Outgoing
from followers.marketplaces.pushing.rounds import pause_s
from followers.marketplaces.terms import Listing, Listings, Notice, Quota, Received, Throttled
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from followers.sealing import Seal, new_sealing_key
from tests.followers.marketplaces.orders.stall import Stall

WISH = Wish({}, ("shop",))
SAID = "7f3a of a buyer"


@pytest.fixture
def channels(database: Database) -> Channels:
    return Channels(database, Seal([new_sealing_key()]))


@pytest.fixture
async def channel(database: Database, channels: Channels) -> Channel:
    """With a listing that is due, whose orders were polled since it last changed."""
    made = await channels.add("here", "stall", "owner", WISH, {}, "epoch", {0: 0})
    assert made is not None
    async with database.transaction() as connection:
        await connection.execute("insert into mapping values ('here', 'mug', 'mug', null, 'us')")
        await connection.execute("insert into outgoing (channel, remote, sent_quantity) values ('here', 'mug', 3)")
        await connection.execute("update channel_poll set polled_at = clock_timestamp(), ended_at = clock_timestamp()")
    return made


def held(channel: Channel, stall: Stall | None = None) -> LeasedChannel:
    remote = Remote(Sessions(Addresses(), {}, timeout_s=1.0), ())
    return LeasedChannel(channel, stall or Stall(), remote, Lease(0, time.monotonic() + 3600.0))


@pytest.mark.parametrize("error", [KeyError(SAID), TypeError(SAID), ValueError(SAID), OverflowError(SAID)])
async def test_an_answer_that_an_adapter_cannot_read_is_none_and_ends_no_loop(
    channel: Channel, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def misread() -> None:
        raise error

    leased = held(channel)
    with pytest.raises(RemoteAway, match="cannot be read") as away:
        await leased.ask(misread)
    assert leased.breaker.failures == 1
    for said in (str(away.value), caplog.text):
        assert f"{type(error).__name__} < test_odd_answers.py:" in said, "what failed, and where"
        assert SAID not in said


def test_an_answer_is_read_without_the_nul_characters_that_no_table_holds() -> None:
    said = {"title": "mug\0", "path": "\\u0000", "both": "\\\0\\\\\0"}
    found = Answer(200, {}, orjson.dumps(said)).json()
    assert found == {"title": "mug", "path": "\\u0000", "both": "\\\\\\"}


async def test_a_notice_with_nul_characters_is_stored(database: Database, channel: Channel) -> None:
    notices = Notices(database, Shelf(database))
    received = Received("id\0", changed_orders=["o\0-1"])
    assert await notices.store("here", Notice({"x": "\0"}, b"\0"), received)
    (stored,) = await notices.waiting(held(channel), 10)
    assert (stored.id, stored.changed_orders) == ("id", ["o-1"])


@pytest.mark.parametrize(
    ("remote", "quantity", "title"),
    [("mug", 2**31, ""), ("mug", -(2**31), ""), ("mug", 1.5, ""), ("mug", 1, None), ("m\0g", 1, ""), ("", 1, "")],
)
def test_a_listing_that_cannot_be_stored_is_none(remote: str, quantity: int, title: str) -> None:
    with pytest.raises(ValueError, match="listing"):
        Listing(remote, quantity, title=title)


class Endless(Stall):
    async def levels(self, cursor: str | None) -> Listings:
        return Listings([Listing("mug", 1)], "more")


async def test_listings_without_an_end_are_no_listings(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("followers.marketplaces.listings.PAGES_MAX", 3)
    with pytest.raises(RemoteAway, match="more than 3 pages"):
        _ = [page async for page in all_of(held(channel, Endless()))]


@pytest.mark.parametrize("seconds", [1e18, 1e300, math.inf, math.nan, -1.0])
async def test_a_wait_that_is_none_is_bounded(database: Database, channel: Channel, seconds: float) -> None:
    assert 0 <= pause_s([Throttled(seconds)]) <= WAIT_S_MAX
    async with database.transaction() as connection:
        await outgoing.not_done(connection, "here", [("mug", seconds)])
        await outgoing.in_doubt(connection, "here", "accepted", [Doubt("mug", seconds)])
    wait_s = await Outgoing(database).next_in_s("here")
    assert wait_s is not None
    assert wait_s <= WAIT_S_MAX


async def test_each_of_a_batch_in_doubt_has_the_reason_of_its_own(database: Database, channel: Channel) -> None:
    async with database.transaction() as connection:
        await connection.execute("insert into mapping values ('here', 'cup', 'cup', null, 'us')")
        await connection.execute("insert into outgoing (channel, remote, last_reason) values ('here', 'cup', 'before')")
        doubts = [Doubt("mug", 1.0, "broke off"), Doubt("cup", 1.0)]
        await outgoing.in_doubt(connection, "here", "unknown", doubts)
        rows = await connection.fetch("select remote, last_reason from outgoing")
    assert {row["remote"]: row["last_reason"] for row in rows} == {"mug": "broke off", "cup": "before"}


def test_a_quota_that_never_comes_back_is_not_believed() -> None:
    bucket = Bucket(Quota("calls", burst=1, per_s=1, kept=0), lambda: 0.0)
    bucket.refills_at(1e-300)
    bucket.fed(1, math.inf)
    assert bucket.refill_s == 1.0
    bucket.empty_for(1e18)
    assert bucket.take(1) == EMPTY_S_MAX


def test_a_post_that_claims_to_come_from_the_queue_in_odd_letters_does_not() -> None:
    remote = Remote(Sessions(Addresses(), {}, timeout_s=1.0), ())
    queue = Queue(remote, "arn:aws:sqs:eu-west-1:123456789012:q", "https://sqs.example", "id", "secret", b"key")
    assert not queue.proves(Notice({PROOF: "\xfc"}, b"{}"))


@pytest.mark.parametrize("how", ["changed by its owner", "compared whole"])
async def test_what_is_computed_anew_waits_for_a_poll_before_it_is_raised(
    database: Database, channels: Channels, channel: Channel, how: str
) -> None:
    """Something may have been sold there since the last one."""
    (row,) = await Outgoing(database).due("here")
    assert row.polled
    if how == "compared whole":
        assert await Positions(database).compare(held(channel), "another", {0: 9})
    else:
        assert await channels.change("here", "owner", WISH, None)
    (row,) = await Outgoing(database).due("here")
    assert not row.polled
