"""CPU of a thread between two moments, from looks at it that did not come just then."""

import threading
import time

from tests.bench.main_thread import MainThread, cpu_at

BUSY_S = 0.1
TICK_MS = 10.0
LOOKS = [(1.0, 10.0), (2.0, 10.0), (3.0, 30.0)]


def test_between_two_looks_it_is_taken_for_even_and_beyond_them_for_none() -> None:
    assert [cpu_at(LOOKS, at_s) for at_s in (0.5, 1.5, 2.25, 3.0, 9.0)] == [10.0, 10.0, 15.0, 30.0, 30.0]


def test_a_thread_that_works_has_as_much_of_a_core_as_it_says_itself() -> None:
    began_s, before_ms = time.time(), time.thread_time() * 1_000
    with MainThread(threading.get_native_id()) as thread:
        until_s = time.thread_time() + BUSY_S
        while time.thread_time() < until_s:
            pass
    worked_ms = time.thread_time() * 1_000 - before_ms
    assert BUSY_S * 1_000 - TICK_MS < thread.cpu_ms(began_s, time.time()) < worked_ms + TICK_MS
