"""API keys and tokens for tests, made directly in the database."""

import time

from sqlalchemy import text

from ledger.access.keys import create_key
from ledger.database.engine import create_engine
from tests.harness.postgres import PATIENT
from wire.tokens import Principal, mint, shared_secret

TOKEN_KEY = "testkey"
TOKEN_SECRET = "test-secret-of-more-than-thirty-two-bytes"


async def make_key(database_url: str, owner: str, *scopes: str) -> str:
    """Returns the key's text, ``sw_<id>_<secret>``."""
    engine = create_engine(database_url, pool_size=1, settings=PATIENT)
    try:
        async with engine.begin() as connection:
            return (await create_key(connection, owner, scopes)).key
    finally:
        await engine.dispose()


async def make_token_key(database_url: str) -> None:
    """The key that ``make_token`` names: a hub asks the ledger whether it is still good."""
    engine = create_engine(database_url, pool_size=1, settings=PATIENT)
    try:
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "insert into api_key (id, owner, secret_hash, scopes)"
                    " values (:id, 'tester', sha256('nobody has it'), '{stock:read:*}') on conflict do nothing"
                ),
                {"id": TOKEN_KEY},
            )
    finally:
        await engine.dispose()


def make_token(
    *scopes: str, owner: str = "tester", key: str = TOKEN_KEY, ttl_s: int = 10_800, secret: str = TOKEN_SECRET
) -> str:
    """A token as the ledger would mint it; a negative ``ttl_s`` makes one that has ended."""
    now = int(time.time())
    return mint(Principal(owner, key, frozenset(scopes), now + ttl_s), now, shared_secret(secret))
