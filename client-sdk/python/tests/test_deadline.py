"""An answer that comes in drips ends with the time for its try, and each wait is given what is left of that."""

from typing import Any

import httpcore
import pytest

from stockwire.sync import deadline as module
from stockwire.sync.deadline import WRITE_BYTES_MAX, Deadline, DeadlineBackend

TRY_S = 6.0
DRIP_S = 0.4


class Clock:
    """In the place of ``time``."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


class Drips(httpcore.NetworkStream, httpcore.NetworkBackend):
    """A connection on which everything takes ``DRIP_S``; ``waits``: the time that each was given."""

    def __init__(self, clock: Clock) -> None:
        self.waits: list[float | None] = []
        self._clock = clock

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any) -> "Drips":
        self._wait(timeout)
        return self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._wait(timeout)
        return b"x"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._wait(timeout)

    def _wait(self, timeout: float | None) -> None:
        self.waits.append(timeout)
        self._clock.now += DRIP_S


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def open_drips(clock: Clock, deadline: Deadline, monkeypatch: pytest.MonkeyPatch) -> tuple[Drips, DeadlineBackend]:
    drips = Drips(clock)
    monkeypatch.setattr(httpcore, "SyncBackend", lambda: drips)
    return drips, DeadlineBackend(deadline)


def test_drips_end_with_the_time_for_the_try_and_none_is_waited_for_longer(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadline = Deadline()
    drips, backend = open_drips(clock, deadline, monkeypatch)
    began = clock.now
    with deadline.within(TRY_S):
        stream = backend.connect_tcp("ledger", 80, 5.0)
        with pytest.raises(httpcore.ReadTimeout, match="used up"):
            b"".join(stream.read(1, 5.0) for _ in range(1_000))
    assert TRY_S <= clock.now - began < TRY_S + DRIP_S
    assert drips.waits == pytest.approx([min(5.0, TRY_S - DRIP_S * number) for number in range(len(drips.waits))])


def test_a_body_that_is_taken_in_drips_ends_with_the_time_for_the_try(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadline = Deadline()
    _, backend = open_drips(clock, deadline, monkeypatch)
    with deadline.within(TRY_S):
        stream = backend.connect_tcp("ledger", 80)
        with pytest.raises(httpcore.WriteTimeout):
            stream.write(bytes(1_000 * WRITE_BYTES_MAX), 5.0)
    assert stream.read(1, 5.0) == b"x", "outside of a try there is no deadline"
