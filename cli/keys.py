"""`stockwire key` and `stockwire token`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import redis.asyncio
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.data_folder import write_private
from cli.trust import trusted
from ledger.access.keys import ApiKey, NewKey, create_key, find_key, import_key, list_keys, revoke_key, split_key
from ledger.commit.event import timestamp
from ledger.database.engine import create_engine
from server.broker.broker_url import broker_url_of
from server.problems import Invalid
from server.settings.environment import Environment
from stockwire.settings import resolve
from wire.channels import DEFAULT_PREFIX, revocation_channel
from wire.messages import Revocation, encode

_TIMEOUT_S = 10.0
_PAGE = 1000


class KeyRefused(Exception):
    """The key or token cannot be made or ended as asked; the message says why."""


async def create(
    database_url: str, owner: str, scopes: Sequence[str], name: str, expires_at: datetime | None
) -> NewKey:
    engine = create_engine(database_url, pool_size=1)
    try:
        async with engine.begin() as connection:
            return await create_key(connection, owner, scopes, name, expires_at)
    except Invalid as error:
        raise KeyRefused(str(error)) from error
    finally:
        await engine.dispose()


async def keep(
    database_url: str, file: Path, owner: str, scopes: Sequence[str], name: str, expires_at: datetime | None
) -> bool:
    """See to it that ``file`` (mode 0600) holds such a key; False if it did already. Safe to repeat.

    A key of another owner or other scopes, or one that has ended or is not of this database, is replaced by a new one.
    Raises KeyRefused.
    """
    engine = create_engine(database_url, pool_size=1)
    try:
        async with engine.begin() as connection:
            if await _is_good(connection, _held(file), owner, scopes):
                return False
            made = await create_key(connection, owner, scopes, name, expires_at)
            # Before the commit: a file that cannot be written leaves no key behind.
            write_private(file, made.key + "\n")
            return True
    except Invalid as error:
        raise KeyRefused(str(error)) from error
    except OSError as error:
        if error.filename is None:
            raise  # the database's
        raise KeyRefused(f"{file} cannot be written or read ({error.strerror}): name another --file") from error
    finally:
        await engine.dispose()


async def take_in(database_url: str, file: Path, owner: str, scopes: Sequence[str], name: str) -> bool:
    """See to it that the ledger knows the key in ``file``, which is only read; False if it did already. Safe to repeat.

    Raises KeyRefused.
    """
    key = _text_of(file)
    engine = create_engine(database_url, pool_size=1)
    try:
        async with engine.begin() as connection:
            return await import_key(connection, key, owner, scopes, name)
    except Invalid as error:
        raise KeyRefused(f"{file}: {error}") from error
    finally:
        await engine.dispose()


def _text_of(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise KeyRefused(f"{file} cannot be read ({reason}): name another --file") from error


def _held(file: Path) -> tuple[str, str] | None:
    """Id and secret of the key in ``file``, if it is one."""
    return split_key(file.read_text().strip()) if file.exists() else None


async def _is_good(
    connection: AsyncConnection, held: tuple[str, str] | None, owner: str, scopes: Sequence[str]
) -> bool:
    key = await find_key(connection, held[0]) if held else None
    if held is None or key is None:
        return False
    return key.is_good(held[1], datetime.now(UTC)) and key.owner == owner and set(key.scopes) == set(scopes)


async def listed(database_url: str) -> list[ApiKey]:
    engine = create_engine(database_url, pool_size=1)
    found: list[ApiKey] = []
    try:
        async with engine.connect() as connection:
            while page := await list_keys(connection, found[-1].id if found else "", _PAGE):
                found += page
    finally:
        await engine.dispose()
    return found


def described(key: ApiKey, now: datetime) -> str:
    """One line: id, state, owner, scopes."""
    state = _state(key, now)
    ends = f", ends {key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else ""
    name = f" ({key.name})" if key.name else ""
    return f"{key.id}  {state:8}  {key.owner}{name}  {' '.join(key.scopes)}  made {key.created_at:%Y-%m-%d %H:%M}{ends}"


def key_fields(key: ApiKey, now: datetime) -> dict[str, Any]:
    """As `GET /v1/keys` has it, and the state."""
    return {
        "id": key.id,
        "state": _state(key, now),
        "owner": key.owner,
        "name": key.name,
        "scopes": list(key.scopes),
        "created_at": timestamp(key.created_at),
        "expires_at": timestamp(key.expires_at),
        "revoked_at": timestamp(key.revoked_at),
    }


def created_fields(key: NewKey) -> dict[str, Any]:
    """As `POST /v1/keys` answers: with the key's text."""
    times = {"created_at": timestamp(key.created_at), "expires_at": timestamp(key.expires_at)}
    return {**asdict(key), "scopes": list(key.scopes), **times}


def _state(key: ApiKey, now: datetime) -> str:
    return "revoked" if key.revoked_at else "good" if key.is_active(now) else "ended"


async def revoke(database_url: str, variables: Mapping[str, str], key_id: str) -> bool:
    """Whether the hubs were told; without a broker they find out when what they remember of the key ends.

    Raises KeyRefused if there is no such key, SettingsError before anything is done.
    """
    broker_url = _broker_url(variables)
    engine = create_engine(database_url, pool_size=1)
    try:
        async with engine.begin() as connection:
            if not await revoke_key(connection, key_id):
                raise KeyRefused(f"there is no key {key_id}: `stockwire key list` shows them")
    finally:
        await engine.dispose()
    return await _tell_hubs(broker_url, variables.get("STOCKWIRE_CHANNEL_PREFIX") or DEFAULT_PREFIX, key_id)


def _broker_url(variables: Mapping[str, str]) -> str | None:
    environment = Environment(variables)
    if not environment.has_secret("STOCKWIRE_REDIS_URL"):
        return None
    return broker_url_of(environment)


async def _tell_hubs(url: str | None, prefix: str, key_id: str) -> bool:
    if url is None:
        return False
    channel = revocation_channel(prefix)
    client = redis.asyncio.Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
    try:
        await client.publish(channel, encode(Revocation(key_id)))
    except RedisError:
        return False
    finally:
        await client.aclose()
    return True


async def mint(data: Path, scopes: Sequence[str], ttl_s: int) -> dict[str, Any]:
    """As the ledger answers: ``token``, ``expires_at``. ``data``: whose ledger, unless STOCKWIRE_URL names one.

    Raises KeyRefused, httpx.HTTPError, stockwire.ConfigurationError.
    """
    settings = resolve(None, None, {**os.environ, "STOCKWIRE_DATA": str(data)})
    if settings.key is None:
        raise KeyRefused("a token is minted from an API key: set STOCKWIRE_API_KEY")
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, verify=trusted()) as http:
        answer = await http.post(
            f"{settings.url}/v1/tokens",
            json={"scopes": list(scopes), "ttl_s": ttl_s},
            headers={"Authorization": f"Bearer {settings.key}"},
        )
    if answer.status_code != httpx.codes.CREATED:
        raise KeyRefused(f"the ledger refused ({answer.status_code}): {_detail(answer)}")
    minted: dict[str, Any] = answer.json()
    return minted


def _detail(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError):
        return answer.text[:200]
