"""A client that stood still between its handshake and its first message, as a busy till or a phone that slept does."""

import time

import pytest

from stockwire import AsyncClient
from stockwire.session import Session
from stockwire.view import State
from tests.conftest import StartSystem
from tests.harness.waiting import PATIENCE_S

AUTHENTICATE_S = 0.5
STOOD_STILL_S = 3.0
"""Longer than a hub takes to notice."""


async def test_a_client_whose_first_message_comes_too_late_comes_back_by_itself(
    start_system: StartSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = await start_system(hubs=0)
    hub = await system.start_hub(STOCKWIRE_HUB_AUTHENTICATE_S=AUTHENTICATE_S)
    begin, begun = Session.begin, []

    def late(session: Session, token: str) -> str:
        begun.append(token)
        if len(begun) == 1:
            time.sleep(STOOD_STILL_S)  # the whole loop: the hub has one of its own
        return begin(session, token)

    monkeypatch.setattr(Session, "begin", late)
    async with (
        AsyncClient(system.ledger_url, await system.admin_key(), hubs=[hub.stream]) as client,
        client.subscribe("*") as subscription,
    ):
        await subscription.ready(PATIENCE_S)
        assert subscription.view.state in (State.FRESH, State.STALE)
    assert len(begun) > 1, "the first message was in time"
