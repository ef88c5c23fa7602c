"""Which time it is for whoever signs, holds and polls, whatever this machine's clock does."""

import time

import pytest

from followers.database.database import Database
from followers.database.leases import CHANNELS, Leases
from followers.marketplaces.remote import Remote
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from tests.harness.own_thread import here_alone

HOUR_S = 3600.0


async def test_a_clock_that_jumps_ahead_takes_nothing_into_the_future(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases = Leases(database, 30, "one", CHANNELS)
    assert await leases.renew({}) == {}
    real = time.time
    monkeypatch.setattr(time, "time", here_alone(lambda: real() + HOUR_S, real))
    assert time.time() > real() + HOUR_S / 2
    assert abs(leases.now_s() - real()) < HOUR_S / 2
    remote = Remote(Sessions(Addresses((), frozenset()), {}, timeout_s=1), (), now_s=leases.now_s)
    assert abs(remote.now().timestamp() - real()) < HOUR_S / 2, "what orders are asked for by"
    await leases.renew({})
    assert abs(leases.now_s() - real()) < HOUR_S / 2, "by the database's clock"
