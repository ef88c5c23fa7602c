"""`stockwire doctor`: looks at a system from where it stands, one check after the other. Changes nothing.

What a check means is in ``cli.findings``; here is what it asks.
"""

import asyncio
import json
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import redis.asyncio
from redis.exceptions import RedisError
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from cli import findings
from cli.findings import Finding, Report, State
from cli.location import database_url
from ledger import migrations
from ledger.audit import audit as run_audit
from stockwire import AsyncClient, Snapshot
from stockwire.errors import StockwireError
from wire.channels import DEFAULT_PREFIX
from wire.environment import Environment, SettingsError
from wire.tokens import SECRET_BYTES_MIN

TIMEOUT_S = 10.0
_DATABASE_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


async def examine(data: Path, variables: Mapping[str, str], *, audit: bool) -> Report:
    """Raises SettingsError if no database is named at all."""
    url = database_url(variables)
    found = await _database(url)
    if found[0].state is State.GOOD:
        found.append(await _migrations(url))
    found += await _broker(variables)
    found += [_files(), _token_secret(variables)]
    found += await _processes(data)
    found.append(await _snapshot(data, variables))
    if audit and found[0].state is State.GOOD:
        found += await _audit(url)
    return Report(found)


async def _database(url: str) -> list[Finding]:
    """The first finding says whether the database can be reached; the others follow only then."""
    try:
        connection = await asyncpg.connect(url, timeout=TIMEOUT_S, command_timeout=TIMEOUT_S)
    except _DATABASE_ERRORS as error:
        fix = "start it, or correct STOCKWIRE_DATABASE_URL (host, port, user, password, name)"
        return [Finding("database", State.FAILED, f"cannot be reached: {error or type(error).__name__}", fix)]
    try:
        before = time.time()
        now = await connection.fetchval("select extract(epoch from clock_timestamp())::float8")
        after = time.time()
        names = ("fsync", "full_page_writes", "synchronous_commit")
        settings = {name: await connection.fetchval("select current_setting($1)", name) for name in names}
        number = int(await connection.fetchval("select current_setting('server_version_num')"))
    finally:
        await connection.close(timeout=TIMEOUT_S)
    return [
        Finding("database", State.GOOD, "answers"),
        findings.version_finding(number, _is_unix_socket(url)),
        findings.durability_finding(settings),
        findings.clock_finding(now - (before + after) / 2, (after - before) / 2),
    ]


def _is_unix_socket(url: str) -> bool:
    parts = urlsplit(url)
    return not parts.hostname and parse_qs(parts.query).get("host", [""])[0].startswith("/")


async def _migrations(url: str) -> Finding:
    if await migrations.is_current(url):
        return Finding("migrations", State.GOOD, "current")
    return Finding("migrations", State.FAILED, "the schema is not this version's", "stockwire migrate")


async def _broker(variables: Mapping[str, str]) -> list[Finding]:
    url = variables.get("STOCKWIRE_REDIS_URL", "").strip()
    if not url:
        return [Finding("broker", State.FAILED, "none is named", "set STOCKWIRE_REDIS_URL=redis://...")]
    channel = f"{variables.get('STOCKWIRE_CHANNEL_PREFIX') or DEFAULT_PREFIX}:doctor"
    try:
        client = redis.asyncio.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
    except ValueError as error:
        return [Finding("broker", State.FAILED, str(error), "correct STOCKWIRE_REDIS_URL")]
    try:
        took_s = await _round_trip(client, channel)
        found = [Finding("broker", State.GOOD, f"carries a message in {took_s * 1000:.1f} ms")]
        found.append(await _buffers(client))
    except (RedisError, OSError, TimeoutError) as error:
        fix = "start it, or correct STOCKWIRE_REDIS_URL; sales go on meanwhile, hubs read the log instead"
        found = [Finding("broker", State.FAILED, f"carries nothing: {error or 'no answer'}", fix)]
    finally:
        await client.aclose()
    return found


async def _round_trip(client: "redis.asyncio.Redis", channel: str) -> float:
    async with client.pubsub() as pubsub, asyncio.timeout(TIMEOUT_S):
        await pubsub.subscribe(channel)
        while not await pubsub.get_message(timeout=TIMEOUT_S):
            pass
        began = time.monotonic()
        await client.publish(channel, b"?")
        while not await pubsub.get_message(ignore_subscribe_messages=True, timeout=TIMEOUT_S):
            pass
        return time.monotonic() - began


async def _buffers(client: "redis.asyncio.Redis") -> Finding:
    try:
        stated = await client.config_get("client-output-buffer-limit")
    except RedisError as error:
        return Finding("broker buffers", State.SKIPPED, f"the broker does not say: {error}")
    value = next(iter(stated.values()), "") if stated else ""
    return findings.buffer_finding(value.decode() if isinstance(value, bytes) else str(value))


def _files() -> Finding:
    return findings.files_finding(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _token_secret(variables: Mapping[str, str]) -> Finding:
    try:
        Environment(variables).secret("STOCKWIRE_TOKEN_SECRET", bytes_min=SECRET_BYTES_MIN)
    except SettingsError as error:
        fix = "the same random secret for every ledger and hub, such as from: openssl rand -base64 48"
        return Finding("token secret", State.FAILED, str(error), fix)
    return Finding("token secret", State.GOOD, f"at least {SECRET_BYTES_MIN} bytes")


async def _processes(data: Path) -> list[Finding]:
    """Every process of a running `stockwire up`, by its admin port."""
    try:
        admin: dict[str, str] = json.loads((data / "run.json").read_text())["admin"]
    except (OSError, ValueError, KeyError):
        return [Finding("processes", State.SKIPPED, f"no `stockwire up` runs in {data}")]
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
        return await asyncio.gather(*(_ready(http, name, url) for name, url in admin.items()))


async def _ready(http: httpx.AsyncClient, name: str, url: str) -> Finding:
    fix = f"see {name}.log in the data folder"
    try:
        answer = await http.get(f"{url}/readyz")
    except httpx.HTTPError as error:
        return Finding(name, State.FAILED, f"does not answer at {url}: {error or type(error).__name__}", fix)
    if answer.status_code != httpx.codes.OK:
        return Finding(name, State.FAILED, f"is not ready: {answer.text[:200]}", fix)
    return Finding(name, State.GOOD, f"ready at {url}")


async def _snapshot(data: Path, variables: Mapping[str, str]) -> Finding:
    """A client's whole way in: discovery, key, hub, snapshot. Reads one location, changes nothing."""
    url, key = variables.get("STOCKWIRE_URL"), variables.get("STOCKWIRE_API_KEY")
    try:
        if not url:
            run = json.loads((data / "run.json").read_text())
            url, key = str(run["ledger"]), key or str(run["key"])
    except (OSError, ValueError, KeyError):
        return Finding("a client", State.SKIPPED, "set STOCKWIRE_URL and STOCKWIRE_API_KEY to try one")
    began = time.monotonic()
    try:
        async with AsyncClient(url, key, retry_for_s=TIMEOUT_S) as client, asyncio.timeout(TIMEOUT_S):
            locations = [found async for found in client.locations.list()]
            if not locations:
                return Finding("a client", State.SKIPPED, "there is no location yet to watch")
            levels = await _first_snapshot(client, locations[0].location)
    except (StockwireError, TimeoutError) as error:
        fix = "see the hubs' logs; are their stream URLs (STOCKWIRE_HUB_STREAM_URLS) right from here?"
        return Finding("a client", State.FAILED, f"got no snapshot: {error or 'no answer'}", fix)
    took_ms = (time.monotonic() - began) * 1000
    return Finding("a client", State.GOOD, f"has {levels:,} levels of {locations[0].location} in {took_ms:.0f} ms")


async def _first_snapshot(client: AsyncClient, location: str) -> int:
    async with client.subscribe(location) as subscription:
        async for event in subscription:
            if isinstance(event, Snapshot):
                return len(event.levels)
    return 0


async def _audit(url: str) -> list[Finding]:
    """On a connection without the ledger's own deadlines: the whole log takes as long as it takes."""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.begin() as connection:
            violations = await run_audit(connection)
    finally:
        await engine.dispose()
    if not violations:
        return [Finding("audit", State.GOOD, "every invariant holds")]
    fix = "stop the writers, keep a copy of the database, and see docs/how-to/when-things-break.md"
    return [Finding(f"audit {found.invariant} {found.name}", State.FAILED, str(found), fix) for found in violations]
