"""The broker: that it carries messages, and that a short stall does not cut its subscribers off."""

import asyncio
import time
from collections.abc import Mapping

import redis.asyncio
from redis.exceptions import RedisError

from cli import findings
from cli.findings import Finding, FindingState
from server.broker.broker_url import broker_url_of
from server.settings.environment import Environment, SettingsError
from wire.channels import DEFAULT_PREFIX

TIMEOUT_S = 10.0


async def broker(variables: Mapping[str, str]) -> list[Finding]:
    environment = Environment(variables)
    if not environment.has_secret("STOCKWIRE_REDIS_URL"):
        return [Finding("broker", FindingState.FAILED, "none is named", "set STOCKWIRE_REDIS_URL=redis://...")]
    channel = f"{variables.get('STOCKWIRE_CHANNEL_PREFIX') or DEFAULT_PREFIX}:doctor"
    try:
        url = broker_url_of(environment)
        client = redis.asyncio.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
    except SettingsError as error:
        return [Finding("broker", FindingState.FAILED, str(error), "correct STOCKWIRE_REDIS_URL")]
    try:
        took_s = await _round_trip(client, channel)
        found = [Finding("broker", FindingState.GOOD, f"carries a message in {took_s * 1000:.1f} ms")]
        found.append(await _buffers(client))
    except (RedisError, OSError, TimeoutError) as error:
        fix = "start it, or correct STOCKWIRE_REDIS_URL; sales go on meanwhile, hubs read the log instead"
        found = [Finding("broker", FindingState.FAILED, f"carries nothing: {error or 'no answer'}", fix)]
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
        return Finding("broker buffers", FindingState.SKIPPED, f"the broker does not say: {error}")
    value = next(iter(stated.values()), "") if stated else ""
    return findings.buffer_finding(value.decode() if isinstance(value, bytes) else str(value))
