"""Who was proven a moment ago is known again, and not for a moment longer than the key is good."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger.access import access as module
from ledger.access.access import Access
from ledger.access.hub_callers import HubCallers
from ledger.access.keys import NewKey, create_key, revoke_key
from ledger.database.engine import create_engine
from server.rates.rate_limits import RateLimits

ENDS_S = 1000
NO_VERIFIER: Any = None


@dataclass
class Keys:
    """``moved_s``: how far the clock of ``access`` is ahead."""

    access: Access
    key: NewKey
    forever: NewKey
    engine: Any
    moved_s: list[float] = field(default_factory=lambda: [0.0])

    @property
    def header(self) -> bytes:
        return f"Bearer {self.key.key}".encode()


@pytest.fixture
async def keys(database_url: str) -> AsyncIterator[Keys]:
    engine = create_engine(database_url, pool_size=2)
    try:
        now = datetime.now(UTC)
        async with engine.begin() as connection:
            key = await create_key(
                connection, "till", ["stock:write:berlin"], expires_at=now + timedelta(seconds=ENDS_S)
            )
            forever = await create_key(connection, "till", ["stock:write:*"])
        moved_s = [0.0]
        access = Access(
            engine,
            NO_VERIFIER,
            RateLimits(0, None, "test", "ledger"),
            HubCallers(),
            clock=lambda: now.timestamp() + moved_s[0],
        )
        yield Keys(access, key, forever, engine, moved_s)
    finally:
        await engine.dispose()


async def test_a_key_that_ends_is_not_known_any_longer(keys: Keys) -> None:
    assert keys.access.known_holder(keys.header) is None, "nobody has looked it up"
    assert await keys.access.holder_of(keys.key.key) is not None
    for _ in range(2):
        principal = keys.access.known_holder(keys.header)
        assert principal is not None
        assert (principal.owner, principal.key) == ("till", keys.key.id)
    keys.moved_s[0] = ENDS_S + 1
    assert keys.access.known_holder(keys.header) is None


async def test_a_key_that_was_revoked_is_proven_anew_and_refused(keys: Keys) -> None:
    header = f"Bearer {keys.forever.key}".encode()
    assert await keys.access.holder_of(keys.forever.key) is not None
    assert keys.access.known_holder(header) is not None
    async with keys.engine.begin() as connection:
        await revoke_key(connection, keys.forever.id)
    keys.access.forget(keys.forever.id)
    assert keys.access.known_holder(header) is None
    assert await keys.access.holder_of(keys.forever.key) is None
    assert keys.access.known_holder(header) is None


async def test_another_secret_is_not_known_by_the_id_of_a_key_that_is(keys: Keys) -> None:
    assert await keys.access.holder_of(keys.key.key) is not None
    assert keys.access.known_holder(keys.header) is not None
    wrong = keys.header[:-1] + (b"A" if keys.header[-1:] != b"A" else b"B")
    for header in (wrong, keys.header.replace(b"Bearer", b"Basic"), keys.header + b"x", b""):
        assert keys.access.known_holder(header) is None


async def test_no_more_proofs_are_kept_than_keys(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEYS_MAX", 3)
    assert await keys.access.holder_of(keys.key.key) is not None
    for spaces in range(1, 10):
        assert keys.access.known_holder(b"Bearer" + b" " * spaces + keys.key.key.encode()) is not None
    assert len(keys.access._proven) == 3
