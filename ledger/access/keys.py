"""API keys: ``sw_<id>_<secret>``. Of the secret only its SHA-256 is stored."""

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.problems import Invalid
from wire.scopes import is_scope

ID_CHARACTERS = 12
SECRET_BYTES = 32
SECRET_CHARACTERS_MIN = 16
"""Different ones, in a secret that somebody else made: of 43 random ones there are about 31, and never so few."""

_KEY = re.compile(r"sw_([a-z2-7]{12})_([A-Za-z0-9_-]{43})\Z")
_VISIBLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,128}\Z")

_INSERT = text("""
    insert into api_key (id, owner, name, secret_hash, scopes, expires_at)
    values (:id, :owner, :name, :secret_hash, :scopes, :expires_at)
    returning created_at
""")
_IMPORT = text("""
    insert into api_key (id, owner, name, secret_hash, scopes) values (:id, :owner, :name, :secret_hash, :scopes)
    on conflict (id) do nothing returning created_at
""")
_LIST = text("""
    select id, owner, name, secret_hash, scopes, created_at, expires_at, revoked_at
      from api_key where id > :after order by id limit :limit
""")
_FIND = text("""
    select id, owner, name, secret_hash, scopes, created_at, expires_at, revoked_at from api_key where id = :id
""")
_ACTIVE = text("""
    select id from api_key where id = any(:ids) and revoked_at is null and (expires_at is null or expires_at > now())
""")
_REVOKE = text("update api_key set revoked_at = coalesce(revoked_at, now()) where id = :id returning id")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key. Times are in UTC."""

    id: str
    owner: str
    name: str
    secret_hash: bytes = field(repr=False)
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_good(self, secret: str, now: datetime) -> bool:
        """Whether ``secret`` is this key's and the key is neither revoked nor ended."""
        return secrets.compare_digest(self.secret_hash, hash_secret(secret)) and self.is_active(now)

    def is_active(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class NewKey:
    """``key`` is the key's text: shown once, not stored."""

    id: str
    key: str = field(repr=False)
    owner: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None


async def create_key(
    connection: AsyncConnection, owner: str, scopes: Sequence[str], name: str = "", expires_at: datetime | None = None
) -> NewKey:
    """The caller commits. Raises Invalid for an owner, scope or end that makes no sense."""
    check_key(owner, scopes, expires_at, datetime.now(UTC))
    key_id, secret = make_id(), secrets.token_urlsafe(SECRET_BYTES)
    wanted = tuple(sorted(set(scopes)))
    values = {
        "id": key_id,
        "owner": owner,
        "name": name,
        "secret_hash": hash_secret(secret),
        "scopes": list(wanted),
        "expires_at": expires_at,
    }
    created_at = (await connection.execute(_INSERT, values)).scalar_one()
    return NewKey(key_id, f"sw_{key_id}_{secret}", owner, name, wanted, created_at, expires_at)


async def import_key(connection: AsyncConnection, key: str, owner: str, scopes: Sequence[str], name: str = "") -> bool:
    """Let in a key whose text somebody else made; False if it is good already. The caller commits.

    Safe to repeat, and from several places at once. Raises Invalid for a text that is no key or hardly a random one,
    for an owner or scope that makes no sense, and where its id is that of another key, or of one that has ended.
    """
    now = datetime.now(UTC)
    check_key(owner, scopes, None, now)
    parts = split_key(key)
    if parts is None:
        raise Invalid("key", "must be sw_, 12 characters of a-z and 2-7, _, and 43 of A-Z, a-z, 0-9, - and _")
    key_id, secret = parts
    if len(set(secret)) < SECRET_CHARACTERS_MIN:
        raise Invalid(
            "key", f"has only {len(set(secret))} different characters in its secret: make it of 32 random bytes"
        )
    wanted = sorted(set(scopes))
    values = {"id": key_id, "owner": owner, "name": name, "secret_hash": hash_secret(secret), "scopes": wanted}
    if (await connection.execute(_IMPORT, values)).scalar_one_or_none() is not None:
        return True
    known = await find_key(connection, key_id)
    if known is None or not known.is_good(secret, now) or (known.owner, list(known.scopes)) != (owner, wanted):
        raise Invalid(
            "key", f"has the id {key_id} of one that is another's, has other scopes or has ended: make a new one"
        )
    return False


async def list_keys(connection: AsyncConnection, after: str = "", limit: int = 1000) -> list[ApiKey]:
    """Keys in order of their ids, from the first above ``after``; revoked ones included."""
    rows = await connection.execute(_LIST, {"after": after, "limit": limit})
    return [_key_of(row) for row in rows.mappings()]


async def find_key(connection: AsyncConnection, key_id: str) -> ApiKey | None:
    row = (await connection.execute(_FIND, {"id": key_id})).mappings().one_or_none()
    return None if row is None else _key_of(row)


async def active_ids(connection: AsyncConnection, ids: Sequence[str]) -> list[str]:
    """Those among ``ids`` whose keys are neither revoked nor ended."""
    return list((await connection.execute(_ACTIVE, {"ids": list(ids)})).scalars())


async def revoke_key(connection: AsyncConnection, key_id: str) -> bool:
    """False if there is no such key. Safe to repeat. The caller commits, and then tells the hubs."""
    return (await connection.execute(_REVOKE, {"id": key_id})).scalar_one_or_none() is not None


def check_key(owner: str, scopes: Sequence[str], expires_at: datetime | None, now: datetime) -> None:
    if not _VISIBLE.match(owner):
        raise Invalid("owner", "must be 1 to 128 characters without control characters")
    check_scopes(scopes)
    if expires_at is not None and not now < expires_at:
        raise Invalid("expires_at", "must be in the future")


def check_scopes(scopes: Sequence[str]) -> None:
    for number, scope in enumerate(scopes):
        if not is_scope(scope):
            raise Invalid(
                f"scopes[{number}]", "must be stock:read:<location>, stock:write:<location>, feed, hub or admin"
            )


def split_key(key: str) -> tuple[str, str] | None:
    """Id and secret, or None if it does not look like a key."""
    match = _KEY.match(key)
    return (match[1], match[2]) if match else None


def hash_secret(secret: str) -> bytes:
    """Plain SHA-256: a secret of 256 random bits cannot be guessed, so it needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def make_id() -> str:
    return base64.b32encode(secrets.token_bytes(8)).decode().lower()[:ID_CHARACTERS]


def _key_of(row: RowMapping) -> ApiKey:
    return ApiKey(**{**row, "scopes": tuple(row["scopes"]), "secret_hash": bytes(row["secret_hash"])})
