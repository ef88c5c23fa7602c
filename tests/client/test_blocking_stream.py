"""Blocking subscriptions against real hubs: iterate, listen, read from other threads, close from anywhere."""

import asyncio
import logging
import queue
import threading
from collections.abc import Iterator

import pytest

from stockwire import (
    BadToken,
    Client,
    Invalid,
    Level,
    LevelChanged,
    Snapshot,
    State,
    StreamEvent,
    Subscription,
    Unavailable,
)
from tests.client.blocking import Till, in_thread, open_till, until
from tests.harness.api_keys import make_token
from tests.harness.servers import free_port
from tests.harness.shown import shown_by_hubs
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

SALES = 200


@pytest.fixture
def till(shared_system: System, unique_name: str) -> Iterator[Till]:
    till = open_till(shared_system, unique_name)
    with till.client:
        asyncio.run(shown_by_hubs(shared_system, unique_name, unique_name, 1))
        yield till
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("stockwire")]


def test_a_snapshot_then_every_change(till: Till) -> None:
    with till.client.subscribe(till.location, [till.sku]) as subscription:
        (first,) = until(subscription, lambda event: isinstance(event, Snapshot))
        assert isinstance(first, Snapshot)
        assert [level.on_hand for level in first.levels] == [1_000]
        version = till.sell(3)
        (*_, last) = until(subscription, lambda event: isinstance(event, LevelChanged))
        assert isinstance(last, LevelChanged)
        assert (last.level.version, subscription.view[last.level.key].on_hand) == (version, 997)
        while subscription.view.state is not State.FRESH:
            assert subscription.next_event(PATIENCE_S)
    list(subscription)
    assert subscription.view[till.location, till.sku].on_hand == 997
    for use in (subscription.next_event, lambda _: subscription.listen(print)):
        with pytest.raises(RuntimeError, match="closed"):
            use(0)


def test_hubs_are_found_through_the_ledger(till: Till) -> None:
    with Client(till.url, till.key) as client, client.subscribe(till.location) as subscription:
        assert len(subscription.ready()) == 1


def test_waiting_ends_at_its_deadline(till: Till) -> None:
    with till.client.subscribe(till.location, ["never-sold"]) as subscription:
        subscription.ready()
        while subscription.next_event(0) is not None:
            pass
    nowhere = Client(till.url, till.key, hubs=[f"ws://127.0.0.1:{free_port()}"])
    with nowhere, nowhere.subscribe(till.location) as subscription, pytest.raises(Unavailable):
        subscription.ready(0.2)


def test_a_callback_may_sell_and_close(till: Till) -> None:
    heard: list[StreamEvent] = []
    closed = threading.Event()
    subscription = till.client.subscribe(till.location)

    def hear(event: StreamEvent) -> None:
        heard.append(event)
        if isinstance(event, LevelChanged) and event.level.on_hand < 998:
            subscription.close()
            closed.set()
        elif isinstance(event, Snapshot | LevelChanged):
            till.sell()

    subscription.listen(hear)
    with subscription:
        assert closed.wait(PATIENCE_S)
        assert subscription.view.state is State.CLOSED
        list(subscription)
    assert [event.level.on_hand for event in heard if isinstance(event, LevelChanged)] == [999, 998, 997]


def test_a_callback_that_raises_is_logged_and_called_again(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    heard: queue.SimpleQueue[StreamEvent] = queue.SimpleQueue()

    def broken(event: StreamEvent) -> None:
        heard.put(event)
        raise ZeroDivisionError("a callback's own fault")

    with till.client.subscribe(till.location) as subscription, caplog.at_level(logging.ERROR, "stockwire"):
        stop = subscription.listen(broken)
        assert isinstance(heard.get(timeout=PATIENCE_S), Snapshot)
        till.sell()
        while not isinstance(heard.get(timeout=PATIENCE_S), LevelChanged):
            pass
        stop()
        stop()
    assert "a callback's own fault" in caplog.text


def test_a_blocked_callback_gets_the_newest_and_holds_up_nobody(till: Till) -> None:
    heard: queue.SimpleQueue[StreamEvent] = queue.SimpleQueue()
    blocked, go_on = threading.Event(), threading.Event()

    def slow(event: StreamEvent) -> None:
        blocked.set()
        assert go_on.wait(PATIENCE_S)
        heard.put(event)

    with till.client.subscribe(till.location) as subscription:
        subscription.listen(slow)
        assert blocked.wait(PATIENCE_S)
        for finish in [in_thread(lambda: sell_often(till)) for _ in range(4)]:
            finish()
        until(subscription, lambda _: subscription.view[till.location, till.sku].on_hand == 1_000 - SALES)
        go_on.set()
        levels: list[Level] = []
        while not levels or levels[-1].on_hand != 1_000 - SALES:
            event = heard.get(timeout=PATIENCE_S)
            if isinstance(event, LevelChanged):
                levels.append(event.level)
    assert len(levels) <= 2, "old values were kept for a slow callback"


def test_a_token_function_may_block_and_is_asked_on_a_thread_of_its_own(till: Till) -> None:
    asked: list[str] = []

    def token() -> str:
        asked.append(threading.current_thread().name)
        assert till.on_hand == 1_000  # a request of its own, as to the server that mints it
        return make_token(f"stock:read:{till.location}", ttl_s=60)

    with Client(till.url, hubs=till.client.hubs()) as screen, screen.subscribe(till.location, token=token) as stock:
        assert len(stock.ready()) == 1
    assert asked == [f"stockwire token for {till.location}"]


def test_what_coming_back_cannot_mend_is_raised(till: Till) -> None:
    with Client(till.url, "sw_aaaaaaaaaaaa_nonsense", hubs=till.client.hubs()) as stranger:
        with stranger.subscribe(till.location) as subscription:
            with pytest.raises(BadToken):
                list(subscription)
            for call in (subscription.ready, subscription.next_event):
                with pytest.raises(BadToken):
                    call(0)
        assert subscription.view.state is State.CLOSED
    with pytest.raises(Invalid):
        till.client.subscribe("a/b")


def test_it_says_how_it_is_used(till: Till) -> None:
    subscription = till.client.subscribe(till.location)
    for call in (subscription.ready, subscription.next_event, lambda _: next(subscription)):
        with pytest.raises(RuntimeError, match="use `with` first"):
            call(0)
    with subscription, pytest.raises(RuntimeError, match="entered once"), subscription:
        pass
    subscription.close()


def test_closing_from_another_thread_ends_the_iterator(till: Till) -> None:
    with till.client.subscribe(till.location) as subscription:
        read = in_thread(lambda: drain(subscription))
        subscription.ready()
        in_thread(subscription.close)()
        read()


def sell_often(till: Till) -> None:
    for _ in range(SALES // 4):
        till.sell()


def drain(subscription: Subscription) -> None:
    for _ in subscription:
        pass
