"""The settings of `stockwire channels`, read once and checked (docs/reference/settings.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from followers.outward.addresses import PORTS
from followers.sealing import Seal, SealingKeysUnusable, seal_of
from followers.webhooks.sender import TIMEOUT_S
from server.settings.addresses import Network
from server.settings.database_url import database_url_of
from server.settings.environment import PORT_MAX, Environment, SettingsError, whole_of
from server.settings.ledger_url import ledger_url_of
from server.tls.certificate import Certificate, ca_file_of, certificate_of, refuse_unencrypted

HOST, PORT = "STOCKWIRE_CHANNELS_HOST", "STOCKWIRE_CHANNELS_PORT"
ADMIN_HOST, ADMIN_PORT = "STOCKWIRE_CHANNELS_ADMIN_HOST", "STOCKWIRE_CHANNELS_ADMIN_PORT"
SEALING_KEYS = "STOCKWIRE_WEBHOOKS_SEALING_KEYS"
RECEIVER_PORTS = "STOCKWIRE_WEBHOOKS_PORTS"
PORT_DEFAULT, ADMIN_PORT_DEFAULT = 8084, 8085
LEASE_S = 15.0
POLL_EVERY_S = 300.0
"""How long an order of a marketplace may stay unknown whose notice was lost."""
RATE_PER_S = 50.0
"""Requests of one API key: people and scripts that look after webhooks send a few."""
LEASE_S_MIN = 2
"""Below, two tries to renew it do not find the time for one connection to the database."""
BODY_BYTES_MAX = 20 * 1024
"""What Standard Webhooks asks senders to stay below."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``opened``: networks that receivers may stand in although nobody is reached there otherwise."""

    ledger_url: str
    key: str = field(repr=False)
    database_url: str = field(repr=False)
    seal: Seal = field(repr=False)
    host: str
    port: int
    admin_host: str
    admin_port: int
    rate_per_s: float
    lease_s: float
    poll_every_s: float
    opened: tuple[Network, ...]
    receiver_ports: frozenset[int]
    receivers_ca_file: Path | None
    timeout_s: float
    body_bytes_max: int
    certificate: Certificate | None
    ledger_ca_file: Path | None
    behind_proxy: bool
    allowed_hosts: tuple[str, ...]


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Raises SettingsError, naming the variable and the fix."""
    env = Environment(variables)
    settings = Settings(
        ledger_url=ledger_url_of(env),
        key=env.secret("STOCKWIRE_CHANNELS_KEY"),
        database_url=database_url_of(env),
        seal=_seal(env),
        host=env.text(HOST, "127.0.0.1"),
        port=env.port(PORT, PORT_DEFAULT),
        admin_host=env.text(ADMIN_HOST, "127.0.0.1"),
        admin_port=env.port(ADMIN_PORT, ADMIN_PORT_DEFAULT),
        rate_per_s=env.number("STOCKWIRE_CHANNELS_RATE_PER_S", RATE_PER_S, low=0, high=1e6),
        lease_s=env.number("STOCKWIRE_CHANNELS_LEASE_S", LEASE_S, low=LEASE_S_MIN, high=300),
        poll_every_s=env.number("STOCKWIRE_CHANNELS_POLL_EVERY_S", POLL_EVERY_S, low=1, high=3_600),
        opened=env.networks("STOCKWIRE_WEBHOOKS_NETWORKS"),
        receiver_ports=_ports(env),
        receivers_ca_file=_path(env, "STOCKWIRE_WEBHOOKS_CA_FILE"),
        timeout_s=env.number("STOCKWIRE_WEBHOOKS_TIMEOUT_S", TIMEOUT_S, low=0.1, high=60),
        body_bytes_max=env.integer("STOCKWIRE_WEBHOOKS_BODY_BYTES_MAX", BODY_BYTES_MAX, low=1024, high=2**20),
        certificate=certificate_of(env),
        ledger_ca_file=ca_file_of(env),
        behind_proxy=env.flag("STOCKWIRE_BEHIND_PROXY"),
        allowed_hosts=env.hosts("STOCKWIRE_ALLOWED_HOSTS"),
    )
    hosts = {HOST: settings.host, ADMIN_HOST: settings.admin_host}
    refuse_unencrypted(hosts, settings.certificate, behind_proxy=settings.behind_proxy)
    env.refuse_unknown()
    return settings


def _seal(env: Environment) -> Seal:
    try:
        return seal_of(env.secret("STOCKWIRE_WEBHOOKS_SEALING_KEYS"))
    except SealingKeysUnusable as error:
        raise SettingsError(f"{SEALING_KEYS} {error}") from None


def _ports(env: Environment) -> frozenset[int]:
    named = env.items(RECEIVER_PORTS)
    try:
        ports = frozenset(whole_of(one) for one in named)
    except ValueError:
        raise SettingsError(f"{RECEIVER_PORTS} has what is no number: set ports, such as 443,8443") from None
    if not all(1 <= port <= PORT_MAX for port in ports):
        raise SettingsError(f"{RECEIVER_PORTS} has what is no port: set ports from 1 to {PORT_MAX}")
    return ports or PORTS


def _path(env: Environment, name: str) -> Path | None:
    path = env.text(name, "")
    return Path(path) if path else None
