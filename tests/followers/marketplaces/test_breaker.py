"""A channel that is away is asked ever more rarely, by one at a time."""

from followers.marketplaces.breaker import FAILURES_MAX, OPEN_S, OPEN_S_MAX, PROBE_S, Breaker


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_it_opens_after_failures_in_a_row_and_closes_with_one_success() -> None:
    breaker = Breaker(Clock())
    for _ in range(FAILURES_MAX - 1):
        breaker.failed()
    assert breaker.wait_s() == 0
    breaker.succeeded()
    for _ in range(FAILURES_MAX - 1):
        breaker.failed()
    assert breaker.wait_s() == 0
    breaker.failed()
    assert breaker.wait_s() == OPEN_S
    breaker.succeeded()
    assert breaker.wait_s() == 0


def test_one_probes_while_the_others_wait_and_each_failed_probe_doubles_the_wait() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES_MAX):
        breaker.failed()
    waits = []
    for _ in range(10):
        waits.append(breaker.wait_s())
        clock.now_s += breaker.wait_s()
        assert breaker.wait_s() == 0
        breaker.begin()
        assert breaker.wait_s() == PROBE_S
        breaker.failed()
    assert waits == [min(OPEN_S_MAX, OPEN_S * 2**number) for number in range(10)]
