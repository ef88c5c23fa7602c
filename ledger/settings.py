"""The settings of a ledger process, read once from the environment and checked before anything starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.limits import (
    BODY_BYTES_MAX,
    CONNECTIONS_MAX,
    HOLD_COUNT_HIGHEST,
    HOLD_TTL_S_HIGHEST,
    HOLD_TTL_S_MAX,
    IN_FLIGHT_MAX,
    LINES_MAX,
    HoldLimits,
)
from server.broker.broker_url import broker_url_of
from server.settings.addresses import Network
from server.settings.database_url import database_url_of
from server.settings.environment import Environment, SettingsError
from server.settings.ledger_url import ledger_url_of
from server.tls.certificate import Certificate, certificate_of, refuse_unencrypted
from server.tokens.signing_keys import SigningKey
from server.tokens.token_settings import SharedSecret, TokenSettings, read_signing_key_file, read_token_settings
from server.tracing.tracing_settings import TracingSettings, read_tracing_settings
from wire.channels import DEFAULT_PREFIX
from wire.tokens import Signer, shared_secret

HOST, PORT = "STOCKWIRE_LEDGER_HOST", "STOCKWIRE_LEDGER_PORT"
ADMIN_HOST, ADMIN_PORT = "STOCKWIRE_LEDGER_ADMIN_HOST", "STOCKWIRE_LEDGER_ADMIN_PORT"
CHANNELS_URL = "STOCKWIRE_CHANNELS_URL"
RATE_PER_S_DEFAULT = 10_000.0
"""More than one ledger process can take: it only stops a caller that has gone wild. 0 turns the limit off."""
DATABASE_WAIT_S_DEFAULT = 60.0
_CUSTOMER_UNITS, _CUSTOMER_RESERVATIONS = (
    "STOCKWIRE_HOLD_CUSTOMER_UNITS_MAX",
    "STOCKWIRE_HOLD_CUSTOMER_RESERVATIONS_MAX",
)
_OWNER_UNITS, _OWNER_RESERVATIONS = "STOCKWIRE_HOLD_OWNER_UNITS_MAX", "STOCKWIRE_HOLD_OWNER_RESERVATIONS_MAX"
READ_CONNECTIONS_DEFAULT = 10


@dataclass(frozen=True, slots=True)
class Hub:
    """``stream_url``: ws or wss. ``read_url``: http or https; None if its reads are not published."""

    stream_url: str
    read_url: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    """docs/reference/settings.md says what each one means.

    ``signing_keys``: the first signs; the others are only published, for tokens that they have signed.
    """

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    channel_prefix: str
    tokens: TokenSettings
    signing_keys: tuple[SigningKey, ...]
    allowed_origins: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    host: str
    port: int
    admin_host: str
    admin_port: int
    public_url: str | None
    hubs: tuple[Hub, ...]
    channels_url: str | None
    body_bytes_max: int
    lines_max: int
    rate_per_s: float
    connections_max: int
    connections_per_address_max: int
    in_flight_max: int
    database_wait_s: float
    read_connections: int
    hold_limits: HoldLimits
    certificate: Certificate | None
    behind_proxy: bool
    trusted_proxies: tuple[Network, ...]
    tracing: TracingSettings | None = None

    @property
    def signer(self) -> Signer | None:
        """What this ledger signs tokens with; None if it may make none."""
        if isinstance(self.tokens, SharedSecret):
            return shared_secret(self.tokens.secret)
        return self.signing_keys[0].signer if self.signing_keys else None


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Raises SettingsError, which names the variable and says the fix."""
    env = Environment(variables)
    tokens = read_token_settings(env)
    settings = Settings(
        database_url=database_url_of(env),
        redis_url=broker_url_of(env),
        channel_prefix=env.text("STOCKWIRE_CHANNEL_PREFIX", DEFAULT_PREFIX),
        tokens=tokens,
        signing_keys=read_signing_key_file(env, tokens),
        allowed_origins=env.origins("STOCKWIRE_ALLOWED_ORIGINS"),
        allowed_hosts=env.hosts("STOCKWIRE_ALLOWED_HOSTS"),
        host=env.text(HOST, "127.0.0.1"),
        port=env.port(PORT, 8080),
        admin_host=env.text(ADMIN_HOST, "127.0.0.1"),
        admin_port=env.port(ADMIN_PORT, 8081),
        public_url=_optional_url(env, "STOCKWIRE_LEDGER_PUBLIC_URL"),
        hubs=_hubs(env),
        channels_url=ledger_url_of(env, CHANNELS_URL) if env.text(CHANNELS_URL, "") else None,
        body_bytes_max=env.integer("STOCKWIRE_LEDGER_BODY_BYTES_MAX", BODY_BYTES_MAX, low=1024, high=16 * 2**20),
        lines_max=env.integer("STOCKWIRE_LEDGER_LINES_MAX", LINES_MAX, low=1, high=LINES_MAX),
        rate_per_s=env.number("STOCKWIRE_LEDGER_RATE_PER_S", RATE_PER_S_DEFAULT, low=0, high=1e6),
        connections_max=env.integer("STOCKWIRE_LEDGER_CONNECTIONS_MAX", CONNECTIONS_MAX, low=1, high=1_000_000),
        connections_per_address_max=env.integer(
            "STOCKWIRE_LEDGER_CONNECTIONS_PER_ADDRESS_MAX", 0, low=0, high=1_000_000
        ),
        in_flight_max=env.integer("STOCKWIRE_LEDGER_IN_FLIGHT_MAX", IN_FLIGHT_MAX, low=1, high=1_000_000),
        database_wait_s=env.number("STOCKWIRE_LEDGER_DATABASE_WAIT_S", DATABASE_WAIT_S_DEFAULT, low=0, high=3600),
        read_connections=env.integer("STOCKWIRE_LEDGER_READ_CONNECTIONS", READ_CONNECTIONS_DEFAULT, low=1, high=100),
        hold_limits=_hold_limits(env),
        certificate=certificate_of(env),
        behind_proxy=env.flag("STOCKWIRE_BEHIND_PROXY"),
        trusted_proxies=env.networks("STOCKWIRE_TRUSTED_PROXIES"),
        tracing=read_tracing_settings(variables),
    )
    hosts = {HOST: settings.host, ADMIN_HOST: settings.admin_host}
    refuse_unencrypted(hosts, settings.certificate, behind_proxy=settings.behind_proxy)
    env.refuse_unknown()
    return settings


def _hubs(env: Environment) -> tuple[Hub, ...]:
    streams = env.items("STOCKWIRE_HUB_STREAM_URLS")
    reads = env.items("STOCKWIRE_HUB_READ_URLS")
    if reads and len(reads) != len(streams):
        raise SettingsError(
            f"STOCKWIRE_HUB_READ_URLS names {len(reads)} hubs and STOCKWIRE_HUB_STREAM_URLS {len(streams)}:"
            " give one of each for every hub, in the same order"
        )
    for name, urls, schemes in (
        ("STOCKWIRE_HUB_STREAM_URLS", streams, ("ws://", "wss://")),
        ("STOCKWIRE_HUB_READ_URLS", reads, ("http://", "https://")),
    ):
        if any(not url.startswith(schemes) for url in urls):
            raise SettingsError(f"{name}: each URL must begin with {' or '.join(schemes)}")
    return tuple(Hub(stream, reads[number] if reads else None) for number, stream in enumerate(streams))


def _hold_limits(env: Environment) -> HoldLimits:
    """Raises SettingsError also for one that could never be met beside another: it was meant to do something."""
    limits = HoldLimits(
        ttl_s=env.integer("STOCKWIRE_HOLD_TTL_S_MAX", HOLD_TTL_S_MAX, low=1, high=HOLD_TTL_S_HIGHEST),
        share_percent=env.integer("STOCKWIRE_HOLD_SHARE_PERCENT_MAX", 0, low=0, high=100),
        customer_units=env.integer(_CUSTOMER_UNITS, 0, low=0, high=HOLD_COUNT_HIGHEST),
        customer_reservations=env.integer(_CUSTOMER_RESERVATIONS, 0, low=0, high=HOLD_COUNT_HIGHEST),
        owner_units=env.integer(_OWNER_UNITS, 0, low=0, high=HOLD_COUNT_HIGHEST),
        owner_reservations=env.integer(_OWNER_RESERVATIONS, 0, low=0, high=HOLD_COUNT_HIGHEST),
    )
    customer = (_CUSTOMER_UNITS, limits.customer_units), (_CUSTOMER_RESERVATIONS, limits.customer_reservations)
    owner = (_OWNER_UNITS, limits.owner_units), (_OWNER_RESERVATIONS, limits.owner_reservations)
    for units, reservations in (customer, owner):
        _refuse_above(reservations, units, "and a reservation has a unit at least")
    for of_customer, of_owner in zip(customer, owner, strict=True):
        _refuse_above(of_customer, of_owner, "and what a customer holds is held by an owner")
    return limits


def _refuse_above(limit: tuple[str, int], other: tuple[str, int], why: str) -> None:
    """Raises SettingsError if ``limit`` could never be met beside ``other``."""
    (name, allowed), (met, met_at) = limit, other
    if allowed > met_at > 0:
        raise SettingsError(f"{name}={allowed} is above {met}={met_at}, {why}: set it to at most {met_at}")


def _optional_url(env: Environment, name: str) -> str | None:
    return env.url(name, ("http", "https")).rstrip("/") if env.text(name, "") else None
