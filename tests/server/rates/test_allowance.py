"""What an owner may still send: the pure part, with the time as an argument."""

import pytest

from server.rates.allowance import BURST_S, Allowance, Policy
from server.rates.rate_limits import OWNERS_MAX, RateLimits

NOWHERE = "redis://127.0.0.1:1"


def taken(allowance: Allowance, requests: int, now: float, *, shared: bool) -> int:
    return sum(not allowance.take(now, shared=shared) for _ in range(requests))


def test_alone_an_owner_has_a_burst_and_then_a_rate() -> None:
    allowance = Allowance(Policy(10), "a", 0)
    assert taken(allowance, 100, 0, shared=False) == 20
    assert allowance.take(0, shared=False) == pytest.approx(0.1)
    assert taken(allowance, 100, 0.1, shared=False) == 1


def test_before_the_first_lease_requests_are_taken_on_credit_and_the_lease_pays_it_back() -> None:
    policy = Policy(1_000)
    allowance = Allowance(policy, "a", 0)
    assert taken(allowance, 500, 0, shared=True) == policy.credit == 100
    wanted = allowance.wanted(0)
    assert wanted == policy.credit + policy.block
    allowance.lease(wanted, wanted, 1_850, 0)
    assert allowance.wanted(0) == 0
    assert taken(allowance, 500, 0, shared=True) == policy.block + policy.credit


def test_what_redis_does_not_have_is_not_taken_twice() -> None:
    policy = Policy(100)
    allowance = Allowance(policy, "a", 0)
    assert taken(allowance, 500, 0, shared=True) == policy.credit
    allowance.lease(allowance.wanted(0), 0, 0, 0)
    assert allowance.wanted(0) == 0
    assert taken(allowance, 50, 0, shared=True) == 0
    later = policy.pause_s
    assert taken(allowance, 50, later, shared=True) == 0, "the debt is still there"
    allowance.lease(allowance.wanted(later), 4, 0, later)
    assert taken(allowance, 50, later, shared=True) == 0
    assert taken(allowance, 50, later * 2, shared=True) == 4


def test_tokens_that_nobody_used_end_with_the_window_in_which_they_were_counted() -> None:
    policy = Policy(100)
    allowance = Allowance(policy, "a", 0)
    allowance.lease(policy.block, policy.block, 195, 0)
    assert allowance.wanted(0) == 0
    allowance.take(policy.window_s + 1, shared=True)
    assert allowance.wanted(policy.window_s + 1) == policy.block + 1


def test_one_ledger_alone_never_exceeds_the_limit_whatever_it_leased() -> None:
    policy = Policy(10)
    allowance = Allowance(policy, "a", 0)
    allowance.lease(1, 1_000, 0, 0)
    assert taken(allowance, 1_000, 0, shared=True) == policy.quota == 20


@pytest.mark.parametrize(
    ("per_second", "window_s", "quota", "block", "credit"),
    [
        (10_000, 2, 20_000, 500, 500),
        (10, 2, 20, 1, 20),
        (0.5, 2, 1, 1, 1),
        (0.1, 10, 1, 1, 1),
        (1e6, 2, 2 * 10**6, 50_000, 50_000),
    ],
)
def test_every_rate_has_a_whole_window(per_second: float, window_s: int, quota: int, block: int, credit: int) -> None:
    policy = Policy(per_second)
    assert (policy.window_s, policy.quota, policy.block, policy.credit) == (window_s, quota, block, credit)
    assert policy.overshoot == block + credit
    assert policy.window_s >= BURST_S


def test_what_is_left_is_the_smaller_of_both_bounds() -> None:
    allowance = Allowance(Policy(10), "a", 0)
    assert allowance.left(shared=True) == 20
    allowance.lease(1, 1, 4, 0)
    assert (allowance.left(shared=True), allowance.left(shared=False)) == (5, 20)


async def test_owners_are_bounded_and_zero_means_no_limit() -> None:
    limits = RateLimits(1, NOWHERE, "test", "ledger")
    for number in range(OWNERS_MAX + 10):
        assert limits.allowance(str(number))
    assert len(limits._allowances) == OWNERS_MAX
    assert RateLimits(0, NOWHERE, "test", "ledger").allowance("a") is None
    await RateLimits(0, NOWHERE, "test", "ledger").run()


def test_a_refusal_says_how_long_to_wait() -> None:
    limits = RateLimits(10, NOWHERE, "test", "ledger", lambda: 0.0)
    allowance = limits.allowance("a")
    assert allowance
    assert [limits.take(allowance) for _ in range(21)] == [*[0] * 20, 1]
    assert limits.counters.limited == 1
    policy, left = limits.headers(allowance)
    assert policy == (b"ratelimit-policy", b'"owner";q=20;w=2')
    assert left == (b"ratelimit", b'"owner";r=0;t=1')
