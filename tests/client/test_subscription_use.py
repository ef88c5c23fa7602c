"""How a subscription is used and ended, where no hub answers: the same words from both, and no thread is left."""

import asyncio
import gc
import inspect
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from stockwire import AsyncClient, AsyncSubscription, Client, Reconnecting, StreamEvent, Subscription, Unavailable
from stockwire.sync import subscription as module
from stockwire.sync.listener import Listener
from tests.harness.servers import free_port

DEADLINE_S = 20.0
CALLBACKS = 8


@pytest.fixture
def client() -> Iterator[Client]:
    """Its subscriptions hear of nothing but tries to come back."""
    port = free_port()
    with Client(f"http://127.0.0.1:{port}", "key", hubs=[f"ws://127.0.0.1:{port}"]) as client:
        yield client
    assert not threads()


def test_closing_what_was_never_entered_ends_its_listeners(client: Client) -> None:
    subscription = client.subscribe("berlin")
    subscription.listen(print)
    assert threads()
    subscription.close()
    assert not threads()


def test_who_listens_before_the_start_hears_the_first_event(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for bound in ("BOUND_FIRST_S", "BOUND_MAX_S"):
        monkeypatch.setattr(f"stockwire.reconnect.{bound}", DEADLINE_S)
    longest = SimpleNamespace(random=lambda: 1.0)  # the second try waits long
    monkeypatch.setattr("stockwire.asyncio.follower.random", longest)
    heard, first = threading.Event(), []

    def hear(event: StreamEvent) -> None:
        first.append(event)
        heard.set()

    with closing(client.subscribe("berlin")) as subscription:
        subscription.listen(hear)
        with subscription:
            assert heard.wait(DEADLINE_S)
    assert isinstance(first[0], Reconnecting)
    assert first[0].attempt == 1


def test_a_stopped_listener_is_forgotten(client: Client) -> None:
    with client.subscribe("berlin") as subscription:
        kept = weakref.WeakSet[Hearing]()
        for _ in range(CALLBACKS):
            hearing = Hearing()
            kept.add(hearing)
            subscription.listen(hearing)()
        del hearing
        deadline = time.monotonic() + DEADLINE_S
        while kept:
            assert time.monotonic() < deadline, f"{len(kept)} of {CALLBACKS} callbacks are still held"
            time.sleep(0.01)
            gc.collect()


class Clock:
    """In the place of ``time``, and of the wait for a callback that hangs: that takes what it may, and no time."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, timeout_s: float) -> None:
        self.now += timeout_s


def test_closing_waits_once_for_all_callbacks_that_hang(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(Listener, "join", lambda _, timeout_s: clock.wait(timeout_s))
    go_on, called = threading.Event(), threading.Barrier(CALLBACKS + 1)

    def hang(_: StreamEvent) -> None:
        if not go_on.is_set():
            called.wait(DEADLINE_S)
            go_on.wait(DEADLINE_S)

    subscription = client.subscribe("berlin")
    for _ in range(CALLBACKS):
        subscription.listen(hang)
    with subscription:
        called.wait(DEADLINE_S)
        subscription.close()
        waited_s = clock.now
        assert len(threads()) == CALLBACKS
        go_on.set()
    assert waited_s == 2, "one was waited for after the other"
    for thread in threads():
        thread.join(DEADLINE_S)


def test_both_say_the_same_of_wrong_use(client: Client) -> None:
    with asyncio.Runner() as runner:
        twin = AsyncClient(client.url, "key", hubs=client.hubs())

        def ask(call: Callable[[], Any]) -> Any:
            """The outcome of a call of either: what it waits for runs to its end here."""

            async def wait() -> Any:
                answer = call()
                return await answer if inspect.isawaitable(answer) else answer

            return runner.run(wait())

        blocking = [said(lambda: client.subscribe("berlin"), lambda call: call()) for said in SAYINGS]
        on_asyncio = [said(lambda: twin.subscribe("berlin"), ask) for said in SAYINGS]
        runner.run(twin.close())
    assert on_asyncio == blocking
    assert blocking == [
        [*["use `with` first"] * 3, "closed", *["the subscription is closed"] * 3, "StopIteration", "entered once"],
        ["Unavailable", "entered once", "closed", *["the subscription is closed"] * 3, "StopIteration", "entered once"],
    ]


class Hearing:
    def __call__(self, _: StreamEvent) -> None:
        pass


Made = Callable[[], Subscription | AsyncSubscription]
Ask = Callable[[Callable[[], Any]], Any]


def never_entered(make: Made, ask: Ask) -> list[str]:
    subscription = make()
    before = [
        outcome(ask, lambda: subscription.ready(0.1)),
        outcome(ask, lambda: subscription.next_event(0)),
        outcome(ask, lambda: advance(subscription)),
    ]
    return [*before, *closed(subscription, ask)]


def entered(make: Made, ask: Ask) -> list[str]:
    subscription = make()
    ask(lambda: enter(subscription))
    during = [outcome(ask, lambda: subscription.ready(0.1)), outcome(ask, lambda: enter(subscription))]
    return [*during, *closed(subscription, ask)]


SAYINGS = (never_entered, entered)


def closed(subscription: Subscription | AsyncSubscription, ask: Ask) -> list[str]:
    ask(subscription.close)
    while (outcome(ask, lambda: subscription.next_event(0))) == "an answer":
        pass  # what waited can still be taken
    return [
        subscription.view.state.value,
        outcome(ask, lambda: subscription.ready(0.1)),
        outcome(ask, lambda: subscription.next_event(0)),
        outcome(ask, lambda: subscription.listen(print)),
        outcome(ask, lambda: advance(subscription)),
        outcome(ask, lambda: enter(subscription)),
    ]


def advance(subscription: Subscription | AsyncSubscription) -> Any:
    return subscription.__next__() if isinstance(subscription, Subscription) else subscription.__anext__()


def enter(subscription: Subscription | AsyncSubscription) -> Any:
    return subscription.__enter__() if isinstance(subscription, Subscription) else subscription.__aenter__()


def outcome(ask: Ask, call: Callable[[], Any]) -> str:
    try:
        ask(call)
    except RuntimeError as error:
        return "entered once" if "entered once" in str(error) else str(error).replace("async with", "with")
    except (StopIteration, StopAsyncIteration, Unavailable) as error:
        return type(error).__name__.replace("Async", "")
    return "an answer"


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("stockwire")]
