"""Peers do what they are compared for, where they are there: every message comes to every subscriber."""

import pytest

from tests.bench.deliveries import deliver
from tests.bench.native import HOW, built, has_compiler
from tests.bench.peer import PEERS, Peer

pytestmark = pytest.mark.usefixtures("processes")
SUBSCRIBERS, WIDTH = 10, 8


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_message_comes_to_every_subscriber(peer: Peer) -> None:
    if not peer.installed:
        pytest.skip(peer.how)
    assert deliver(peer, SUBSCRIBERS, WIDTH, 2) >= 0


def test_the_clients_in_c_compile_without_a_warning() -> None:
    if not has_compiler():
        pytest.skip(HOW)
    assert built("watchers").exists()
