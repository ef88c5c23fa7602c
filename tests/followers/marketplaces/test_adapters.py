"""Adapters as the processes make them: whoever answers knows the channel's address for notices."""

import hashlib
import json
import math
from importlib.metadata import EntryPoint

import pytest

from followers.database.database import Database
from followers.database.leases import CHANNELS, Lease, Leases
from followers.log.ledger import Ledger
from followers.marketplaces.adapters import Adapters
from followers.marketplaces.buckets import PER_S_MIN
from followers.marketplaces.channels import Channels, Wish
from followers.marketplaces.ebay.signature import verification_token
from followers.marketplaces.errors import NoticeRefused
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.marketplaces import Marketplaces
from followers.marketplaces.terms import Notice, Quota
from followers.marketplaces.vendors import GROUP, Vendors
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from followers.sealing import Seal, new_sealing_key
from server.problems import Unavailable

EBAY = EntryPoint("ebay", "followers.marketplaces.ebay.adapter:Ebay", GROUP)
SEAL = Seal([new_sealing_key()])
URL = "https://shop.example/v1/channels/here/notices"


async def test_any_process_answers_a_challenge_at_the_address_that_its_owner_gave(database: Database) -> None:
    stored = Channels(database, Seal([new_sealing_key()]))
    credentials = {"client_secret": "secret", "refresh_token": "token"}
    for name, url in (("here", URL), ("there", None)):
        wish = Wish({"client_id": "app"}, ("shop",), notices_url=url)
        await stored.add(name, "ebay", "owner", wish, credentials, "epoch", {0: 0})
    sessions, leases = Sessions(Addresses(), {}, timeout_s=1.0), Leases(database, 15.0, "test", CHANNELS)
    adapters = Adapters(stored, Vendors(lambda: [EBAY]), sessions, leases)
    here, there = await adapters.of("here"), await adapters.of("there")
    assert here is not None
    assert there is not None
    challenge = Notice({}, b"", {"challenge_code": "a8628072"})
    answer = json.loads((await here.adapter.receive(challenge)).answer)["challengeResponse"]
    token = verification_token("secret")
    assert answer == hashlib.sha256(f"a8628072{token}{URL}".encode()).hexdigest()
    with pytest.raises(NoticeRefused, match="notices_url"):
        await there.adapter.receive(challenge)


async def test_dry_runs_share_the_quotas_and_tokens_of_what_is_asked_otherwise(database: Database) -> None:
    stored = Channels(database, Seal([new_sealing_key()]))
    credentials = {"client_secret": "secret", "refresh_token": "token"}
    await stored.add("here", "ebay", "owner", Wish({"client_id": "app"}, ("shop",)), credentials, "epoch", {0: 0})
    sessions, leases = Sessions(Addresses(), {}, timeout_s=1.0), Leases(database, 15.0, "test", CHANNELS)
    adapters = Adapters(stored, Vendors(lambda: [EBAY]), sessions, leases)
    first, second = await adapters.dry("here"), await adapters.dry("here")
    assert first is not None
    assert second is not None
    assert first.remote is not second.remote
    first.remote.keep("token", "granted", 60.0)
    assert second.remote.kept_value("token") == "granted"
    assert first.remote.buckets["keys"] is second.remote.buckets["keys"]
    assert await adapters.dry("there") is None


async def test_notices_are_taken_of_a_channel_that_is_paused(database: Database) -> None:
    market = Marketplaces(database, Ledger(URL, "key"), SEAL, Addresses(), [], name="one", lease_s=30)
    credentials = {"client_secret": "secret", "refresh_token": "token"}
    await market.channels.add("here", "ebay", "owner", Wish({"client_id": "app"}, ("shop",)), credentials, "e", {0: 0})
    await market.channels.pause("here", None)
    assert await market.adapter_of("here") is not None
    assert await market.adapter_of("there") is None


async def test_notices_to_channels_that_there_are_not_are_soon_looked_up_no_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("followers.marketplaces.marketplaces.STRANGERS", Quota("lookups", 2, PER_S_MIN, 0))
    market = Marketplaces(database, Ledger(URL, "key"), SEAL, Addresses(), [], name="one", lease_s=30)
    credentials = {"client_secret": "secret", "refresh_token": "token"}
    await market.channels.add("here", "ebay", "owner", Wish({"client_id": "app"}, ("shop",)), credentials, "e", {0: 0})
    assert await market.adapter_of("here") is not None
    assert await market.adapter_of("there") is None
    with pytest.raises(Unavailable):
        await market.adapter_of("there")
    assert await market.adapter_of("here") is not None, "it is known"


async def test_a_channel_that_is_held_is_looked_up_however_many_name_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("followers.marketplaces.marketplaces.STRANGERS", Quota("lookups", 1, PER_S_MIN, 0))
    market = Marketplaces(database, Ledger(URL, "key"), SEAL, Addresses(), [], name="one", lease_s=30)
    credentials = {"client_secret": "secret", "refresh_token": "token"}
    await market.channels.add("here", "ebay", "owner", Wish({"client_id": "app"}, ("shop",)), credentials, "e", {0: 0})
    assert await market.adapter_of("there") is None
    with pytest.raises(Unavailable):
        await market.adapter_of("here")
    made = await market.adapters.of("here")
    assert made is not None
    market.held.channels["here"] = LeasedChannel(made.channel, made.adapter, made.remote, Lease(1, math.inf))
    market.adapters = Adapters(market.channels, market.vendors, market.sessions, Leases(database, 30, "one", CHANNELS))
    assert await market.adapter_of("here") is not None
