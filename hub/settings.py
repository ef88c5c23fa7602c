"""The settings of a hub, read once and checked (docs/reference/settings.md)."""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from hub.entry.connections import AGE_SPREAD
from hub.fanout.fanout import Bounds
from hub.limits import Limits, VisitorLimits
from server.broker.broker_url import broker_url_of
from server.settings.addresses import Network
from server.settings.environment import Environment, SettingsError
from server.settings.ledger_url import ledger_url_of
from server.tls.certificate import Certificate, ca_file_of, certificate_of, refuse_unencrypted
from server.tokens.token_settings import TokenSettings, read_token_settings
from server.tracing.tracing_settings import TracingSettings, read_tracing_settings
from wire.channels import DEFAULT_PREFIX
from wire.names import NAME_PATTERN

HOST, ADMIN_HOST = "STOCKWIRE_HUB_HOST", "STOCKWIRE_HUB_ADMIN_HOST"
STREAM_PORT, READ_PORT = "STOCKWIRE_HUB_STREAM_PORT", "STOCKWIRE_HUB_READ_PORT"
ADMIN_PORT = "STOCKWIRE_HUB_ADMIN_PORT"
PUBLIC_LOCATIONS, ALLOWED_ORIGINS = "STOCKWIRE_HUB_PUBLIC_LOCATIONS", "STOCKWIRE_ALLOWED_ORIGINS"
CONNECTIONS_MAX = "STOCKWIRE_HUB_CONNECTIONS_MAX"
CONNECTION_AGE = "STOCKWIRE_HUB_CONNECTION_AGE_S"
AGE_S_MAX = 604_800  # a week
HEARTBEAT, DRAIN = "STOCKWIRE_HUB_HEARTBEAT_S", "STOCKWIRE_HUB_DRAIN_S"
VISITORS, VISITORS_MAX = "STOCKWIRE_HUB_VISITORS", "STOCKWIRE_HUB_VISITORS_MAX"
VISITORS_PER_ADDRESS_MAX = "STOCKWIRE_HUB_VISITORS_PER_ADDRESS_MAX"
VISITORS_PER_ADDRESS_PER_MINUTE = "STOCKWIRE_HUB_VISITORS_PER_ADDRESS_PER_MINUTE"
LEDGER_URLS = "STOCKWIRE_LEDGER_URLS"
LOOPS = ("uvloop", "asyncio")
RATE_PER_S_DEFAULT = 2_000.0

_location = re.compile(NAME_PATTERN)


@dataclass(frozen=True, slots=True)
class Settings:
    """``drain_s``: how long a drain may take before what is left is cut off. ``origins`` may be ("*",).

    ``visitors``: None where nobody may watch without a key. ``rate_per_s``: reads of one owner over HTTP, from all hubs
    together; 0: any number.
    """

    ledger_urls: tuple[str, ...]
    hub_key: str = field(repr=False)
    tokens: TokenSettings
    redis_url: str = field(repr=False)
    channel_prefix: str
    host: str
    admin_host: str
    stream_port: int
    read_port: int
    admin_port: int
    node: str
    origins: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    public_locations: tuple[str, ...]
    loop: str
    heartbeat_s: float
    drain_s: float
    bounds: Bounds
    limits: Limits
    visitors: VisitorLimits | None
    rate_per_s: float
    certificate: Certificate | None
    ledger_ca_file: Path | None
    behind_proxy: bool
    trusted_proxies: tuple[Network, ...]
    tracing: TracingSettings | None = None


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Raises SettingsError, naming the variable and the fix."""
    env = Environment(variables)
    limits = _limits(env)
    public_locations = _locations(env, PUBLIC_LOCATIONS)
    visitors = _visitors(env, limits)
    settings = Settings(
        ledger_urls=_ledger_urls(env),
        hub_key=env.secret("STOCKWIRE_HUB_KEY"),
        tokens=read_token_settings(env),
        redis_url=broker_url_of(env),
        channel_prefix=env.text("STOCKWIRE_CHANNEL_PREFIX", DEFAULT_PREFIX),
        host=env.text(HOST, "127.0.0.1"),
        admin_host=env.text(ADMIN_HOST, "127.0.0.1"),
        stream_port=env.port(STREAM_PORT, 8090),
        read_port=env.port(READ_PORT, 8091),
        admin_port=env.port(ADMIN_PORT, 8092),
        node=env.text("STOCKWIRE_HUB_NODE", socket.gethostname()),
        origins=env.origins(ALLOWED_ORIGINS),
        allowed_hosts=env.hosts("STOCKWIRE_ALLOWED_HOSTS"),
        public_locations=public_locations,
        loop=_one_of(env, "STOCKWIRE_HUB_LOOP", LOOPS),
        heartbeat_s=env.number(HEARTBEAT, 5, low=0.1, high=60),
        drain_s=env.number(DRAIN, 10, low=0.1, high=13),
        bounds=Bounds(
            env.integer("STOCKWIRE_HUB_LEVELS_MAX", 1_000_000, low=1, high=100_000_000),
            env.integer("STOCKWIRE_HUB_IDLE_LEVELS_MAX", 200_000, low=0, high=100_000_000),
            whole=public_locations if visitors else (),
        ),
        limits=limits,
        visitors=visitors,
        rate_per_s=env.number("STOCKWIRE_HUB_RATE_PER_S", RATE_PER_S_DEFAULT, low=0, high=1e6),
        certificate=certificate_of(env),
        ledger_ca_file=ca_file_of(env),
        behind_proxy=env.flag("STOCKWIRE_BEHIND_PROXY"),
        trusted_proxies=env.networks("STOCKWIRE_TRUSTED_PROXIES"),
        tracing=read_tracing_settings(variables),
    )
    _refuse_short_age(settings)
    hosts = {HOST: settings.host, ADMIN_HOST: settings.admin_host}
    refuse_unencrypted(hosts, settings.certificate, behind_proxy=settings.behind_proxy)
    env.refuse_unknown()
    return settings


def _limits(env: Environment) -> Limits:
    default = Limits()
    return Limits(
        message_bytes_max=_bytes(env, "STOCKWIRE_HUB_MESSAGE_BYTES_MAX", default.message_bytes_max),
        messages_per_minute=_count(env, "STOCKWIRE_HUB_MESSAGES_PER_MINUTE", default.messages_per_minute),
        messages_burst=_count(env, "STOCKWIRE_HUB_MESSAGES_BURST", default.messages_burst),
        skus_max=_count(env, "STOCKWIRE_HUB_SKUS_MAX", default.skus_max),
        subscriptions_max=_count(env, "STOCKWIRE_HUB_SUBSCRIPTIONS_MAX", default.subscriptions_max),
        levels_per_connection_max=_count(
            env, "STOCKWIRE_HUB_LEVELS_PER_CONNECTION_MAX", default.levels_per_connection_max
        ),
        connections_max=_count(env, CONNECTIONS_MAX, default.connections_max),
        connections_per_owner_max=_count(
            env, "STOCKWIRE_HUB_CONNECTIONS_PER_OWNER_MAX", default.connections_per_owner_max
        ),
        connections_per_address_max=_any_count(
            env, "STOCKWIRE_HUB_CONNECTIONS_PER_ADDRESS_MAX", default.connections_per_address_max
        ),
        connection_age_s=env.number(CONNECTION_AGE, 0, low=0, high=AGE_S_MAX),
        unauthenticated_max=_count(env, "STOCKWIRE_HUB_UNAUTHENTICATED_MAX", default.unauthenticated_max),
        handshakes_per_s=_count(env, "STOCKWIRE_HUB_HANDSHAKES_PER_S", default.handshakes_per_s),
        handshakes_burst=_count(env, "STOCKWIRE_HUB_HANDSHAKES_BURST", default.handshakes_burst),
        authenticate_s=_seconds(env, "STOCKWIRE_HUB_AUTHENTICATE_S", default.authenticate_s),
        ping_s=_seconds(env, "STOCKWIRE_HUB_PING_S", default.ping_s),
        pong_s=_seconds(env, "STOCKWIRE_HUB_PONG_S", default.pong_s),
        stall_s=_seconds(env, "STOCKWIRE_HUB_STALL_S", default.stall_s),
        write_bytes_max=_bytes(env, "STOCKWIRE_HUB_WRITE_BYTES_MAX", default.write_bytes_max),
        send_buffer_bytes=_bytes(env, "STOCKWIRE_HUB_SEND_BUFFER_BYTES", default.send_buffer_bytes),
    )


def _refuse_short_age(settings: Settings) -> None:
    """A client has to hear where it stands before it is sent away, and must not be moved on by the next hub while those
    that left with it are still to come.
    """
    age_s = settings.limits.connection_age_s
    soonest_s = age_s * (1 - AGE_SPREAD)
    least_s, name = max((settings.heartbeat_s, HEARTBEAT), (settings.drain_s, DRAIN))
    if age_s > 0 and soonest_s < least_s:
        raise SettingsError(
            f"{CONNECTION_AGE}={age_s:g} is too short: connections would end from {soonest_s:g} s on, before "
            f"{name}={least_s:g} is over: set it to at least {ceil(least_s / (1 - AGE_SPREAD))}, or to 0 for any age"
        )


def _visitors(env: Environment, limits: Limits) -> VisitorLimits | None:
    """None where they are not let in. What belongs together is looked at only where they are."""
    default = VisitorLimits()
    allowed = VisitorLimits(
        visitors_max=_count(env, VISITORS_MAX, max(1, limits.connections_max // 2)),
        per_address_max=_any_count(env, VISITORS_PER_ADDRESS_MAX, default.per_address_max),
        per_minute=_count(env, "STOCKWIRE_HUB_VISITORS_PER_MINUTE", default.per_minute),
        per_address_per_minute=_any_count(env, VISITORS_PER_ADDRESS_PER_MINUTE, default.per_address_per_minute),
        subscriptions_max=_count(env, "STOCKWIRE_HUB_VISITOR_SUBSCRIPTIONS_MAX", default.subscriptions_max),
        skus_max=_count(env, "STOCKWIRE_HUB_VISITOR_SKUS_MAX", default.skus_max),
        messages_per_minute=_count(env, "STOCKWIRE_HUB_VISITOR_MESSAGES_PER_MINUTE", default.messages_per_minute),
        levels_max=_count(env, "STOCKWIRE_HUB_VISITOR_LEVELS_MAX", default.levels_max),
        levels_per_minute=_count(env, "STOCKWIRE_HUB_VISITOR_LEVELS_PER_MINUTE", default.levels_per_minute),
    )
    if not env.flag(VISITORS):
        return None
    for name, what in ((PUBLIC_LOCATIONS, "the locations that they may watch"), (ALLOWED_ORIGINS, "their pages")):
        if not env.items(name):
            raise SettingsError(f"{VISITORS}=1 lets nobody in without {name}: name {what} there, or set {VISITORS}=0")
    if allowed.visitors_max >= limits.connections_max:
        raise SettingsError(
            f"{VISITORS_MAX}={allowed.visitors_max} leaves no place for keys: "
            f"set it below {CONNECTIONS_MAX}={limits.connections_max}, or that one higher"
        )
    if env.flag("STOCKWIRE_BEHIND_PROXY") and not env.items("STOCKWIRE_TRUSTED_PROXIES"):
        for name, most in (
            (VISITORS_PER_ADDRESS_MAX, allowed.per_address_max),
            (VISITORS_PER_ADDRESS_PER_MINUTE, allowed.per_address_per_minute),
        ):
            if most:
                raise SettingsError(
                    f"{name}={most} would count all visitors behind the proxy as one: "
                    f"name the proxy in STOCKWIRE_TRUSTED_PROXIES, or set {name}=0"
                )
    return allowed


def _ledger_urls(env: Environment) -> tuple[str, ...]:
    urls = env.items(LEDGER_URLS)
    if not urls:
        raise SettingsError(f"{LEDGER_URLS} is not set: set it to the ledgers' URLs, separated by commas")
    return tuple(ledger_url_of(Environment({LEDGER_URLS: url}), LEDGER_URLS) for url in urls)


def _locations(env: Environment, name: str) -> tuple[str, ...]:
    """Without ``*``: that every location is public must not be said by accident."""
    locations = env.items(name)
    for location in locations:
        if not _location.match(location):
            raise SettingsError(f"{name} has {location!r}: name each location, 1 to 64 characters without / and *")
    return locations


def _one_of(env: Environment, name: str, values: tuple[str, ...]) -> str:
    value = env.text(name, values[0])
    if value not in values:
        raise SettingsError(f"{name}={value!r} is not known: set it to {' or '.join(values)}")
    return value


def _count(env: Environment, name: str, default: int) -> int:
    return env.integer(name, default, low=1, high=10_000_000)


def _any_count(env: Environment, name: str, default: int) -> int:
    return env.integer(name, default, low=0, high=10_000_000)


def _bytes(env: Environment, name: str, default: int) -> int:
    return env.integer(name, default, low=1_024, high=16 * 2**20)


def _seconds(env: Environment, name: str, default: float) -> float:
    return env.number(name, default, low=0.1, high=600)
