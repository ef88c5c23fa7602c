"""Sessions are bounded in number and time, and go with their key; tries at the door are counted."""

import pytest

from console.entry import attempts, sessions
from console.entry.attempts import Attempts
from console.entry.origins import Origins, own_origins
from console.entry.sessions import Session, Sessions, says_csrf


def session(key: str = "k", ends_s: float = 100.0) -> Session:
    return Session(key, "owner", False, "word", ends_s)


def test_a_session_is_over_when_its_time_is() -> None:
    kept = Sessions()
    kept.open("secret", session())
    assert kept.of("secret", 99.0) == session()
    assert kept.of("Secret", 99.0) is None
    assert kept.of(None, 99.0) is None
    assert kept.of("secret", 100.0) is None
    assert len(kept) == 0


def test_only_so_many_are_kept_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SESSIONS_MAX", 2)
    kept = Sessions()
    for name in ("one", "two", "three"):
        kept.open(name, session(name))
    assert [kept.of(name, 0.0) is not None for name in ("one", "two", "three")] == [False, True, True]


def test_all_of_a_key_end_with_it_and_no_others() -> None:
    kept = Sessions()
    for secret, key in (("a", "till"), ("b", "till"), ("c", "office")):
        kept.open(secret, session(key))
    assert kept.keys() == ["office", "till"]
    kept.end_keys(["till", "nobody"])
    assert [kept.of(secret, 0.0) is not None for secret in "abc"] == [False, False, True]
    kept.close("c")
    kept.close("c")
    assert len(kept) == 0


def test_the_word_is_the_sessions_own() -> None:
    assert says_csrf(session(), "word")
    assert not says_csrf(session(), "Word")
    assert not says_csrf(session(), None)


def test_an_address_may_try_a_few_times_a_minute() -> None:
    tries = Attempts()
    for _ in range(attempts.PER_ADDRESS_MAX):
        assert tries.wait_s("10.0.0.1", 50.0) == 0
        tries.tried("10.0.0.1", 50.0)
    assert tries.wait_s("10.0.0.1", 51.0) == 59.0
    assert tries.wait_s("10.0.0.2", 51.0) == 0
    assert tries.wait_s("10.0.0.1", 110.0) == 0


def test_many_addresses_together_may_not_ask_the_ledger_all_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "ADDRESSES_MAX", 10)
    tries = Attempts()
    for number in range(attempts.IN_ALL_MAX):
        tries.tried(f"10.0.0.{number}", 50.0)
    assert tries.wait_s("10.1.0.1", 50.0) == 60.0
    assert len(tries._tried) == 10


def test_who_signs_in_well_uses_nobodys_tries_up() -> None:
    tries = Attempts()
    for number in range(3 * attempts.IN_ALL_MAX):
        moment_s = 50.0 + number / 100
        assert tries.wait_s("10.0.0.1", moment_s) == 0
        tries.tried("10.0.0.1", moment_s)
        tries.succeeded("10.0.0.1", moment_s)


def test_strangers_who_fail_do_not_lock_out_who_has_signed_in_before() -> None:
    tries = Attempts()
    tries.tried("10.0.0.1", 49.0)
    tries.succeeded("10.0.0.1", 49.0)
    for number in range(attempts.IN_ALL_MAX):
        tries.tried(f"10.1.0.{number}", 50.0)
    assert tries.wait_s("10.2.0.1", 50.0) == 60.0
    assert tries.wait_s("10.0.0.1", 50.0) == 0
    for _ in range(attempts.PER_ADDRESS_MAX):
        tries.tried("10.0.0.1", 50.0)
    assert tries.wait_s("10.0.0.1", 50.0) == 60.0, "it may fail no more often than others"


def test_many_tries_at_once_count_before_any_of_them_is_answered() -> None:
    tries = Attempts()
    for _ in range(attempts.PER_ADDRESS_MAX):
        tries.tried("10.0.0.1", 50.0)
    assert tries.wait_s("10.0.0.1", 50.0) == 60.0
    tries.succeeded("10.0.0.1", 50.0)
    assert tries.wait_s("10.0.0.1", 50.0) == 0


def test_who_signs_in_again_and_again_ends_own_sessions_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "PER_KEY_MAX", 2)
    kept = Sessions()
    kept.open("office", session("office"))
    for name in ("one", "two", "three"):
        kept.open(name, session("till"))
    assert [kept.of(name, 0.0) is not None for name in ("office", "one", "two", "three")] == [True, False, True, True]


def test_a_console_knows_itself_by_its_address_and_by_nothing_else() -> None:
    ours = Origins(own_origins("http", "127.0.0.1", 8083))
    assert ours.is_ours(["http://localhost:8083"])
    for foreign in ([], ["http://localhost:8084"], ["https://localhost:8083"], ["null"], ["http://localhost:8083"] * 2):
        assert not ours.is_ours(foreign)
    assert "localhost:8083" in ours.hosts
    assert Origins(own_origins("https", "::", 443)).is_ours(["https://localhost"])
