"""Peers do what they are compared for, where they are there: every message comes to every subscriber."""

import os

import pytest

from tests.bench.deliveries import deliver
from tests.bench.native import HOW, built, has_compiler
from tests.bench.peer import C_LOOP, PEERS, Peer

pytestmark = pytest.mark.usefixtures("processes")
SUBSCRIBERS, WIDTH = 10, 8


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_message_comes_to_every_subscriber(peer: Peer) -> None:
    if peer is C_LOOP:
        demand_compiler()
    elif not peer.installed:
        pytest.skip(peer.how)
    assert deliver(peer, SUBSCRIBERS, WIDTH, 2) >= 0


def test_the_clients_in_c_compile_without_a_warning() -> None:
    demand_compiler()
    assert built("watchers").exists()


def demand_compiler() -> None:
    """Skips the test if there is none, or fails it where STOCKWIRE_REQUIRE_COMPILER says so."""
    if not has_compiler():
        if os.environ.get("STOCKWIRE_REQUIRE_COMPILER") == "1":
            pytest.fail(HOW)
        pytest.skip(HOW)
