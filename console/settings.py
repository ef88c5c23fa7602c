"""The settings of the console, read once and checked (docs/reference/settings.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from server.settings.addresses import Network
from server.settings.environment import Environment, SettingsError, checked_url
from server.settings.ledger_url import ledger_url_of
from server.tls.certificate import Certificate, ca_file_of, certificate_of, refuse_unencrypted

HOST, PORT = "STOCKWIRE_CONSOLE_HOST", "STOCKWIRE_CONSOLE_PORT"
ORIGINS = "STOCKWIRE_CONSOLE_ORIGINS"
HUB_URLS, ADMIN_URLS = "STOCKWIRE_CONSOLE_HUB_URLS", "STOCKWIRE_ADMIN_URLS"
HTTP, WEB_SOCKET = ("http", "https"), ("ws", "wss")
PORT_DEFAULT = 8083
URLS_MAX = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """``origins``: by which browsers reach the console; empty: by its own address. ``hub_urls``: of streams; empty: as
    the ledger tells them. ``link``, ``control``, ``data``: of a `stockwire up`.
    """

    ledger_url: str
    key: str = field(repr=False)
    hub_urls: tuple[str, ...]
    admin_urls: tuple[str, ...]
    host: str
    port: int
    origins: tuple[str, ...]
    session_hours: float
    viewers_max: int
    certificate: Certificate | None
    ledger_ca_file: Path | None
    behind_proxy: bool
    trusted_proxies: tuple[Network, ...]
    link: Path | None
    control: Path | None
    data: Path | None


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Raises SettingsError, naming the variable and the fix."""
    env = Environment(variables)
    settings = Settings(
        ledger_url=ledger_url_of(env),
        key=env.secret("STOCKWIRE_CONSOLE_KEY"),
        hub_urls=_urls(env, HUB_URLS, WEB_SOCKET),
        admin_urls=_urls(env, ADMIN_URLS, HTTP),
        host=env.text(HOST, "127.0.0.1"),
        port=env.port(PORT, PORT_DEFAULT),
        origins=_origins(env),
        session_hours=env.number("STOCKWIRE_CONSOLE_SESSION_HOURS", 12, low=0.01, high=168),
        viewers_max=env.integer("STOCKWIRE_CONSOLE_VIEWERS_MAX", 200, low=1, high=10_000),
        certificate=certificate_of(env),
        ledger_ca_file=ca_file_of(env),
        behind_proxy=env.flag("STOCKWIRE_BEHIND_PROXY"),
        trusted_proxies=env.networks("STOCKWIRE_TRUSTED_PROXIES"),
        link=_path(env, "STOCKWIRE_CONSOLE_LINK_FILE"),
        control=_path(env, "STOCKWIRE_CONSOLE_CONTROL_SOCKET"),
        data=_path(env, "STOCKWIRE_DATA"),
    )
    refuse_unencrypted({HOST: settings.host}, settings.certificate, behind_proxy=settings.behind_proxy)
    env.refuse_unknown()
    return settings


def _urls(env: Environment, name: str, schemes: tuple[str, ...]) -> tuple[str, ...]:
    named = [checked_url(name, item, schemes).rstrip("/") for item in env.items(name)]
    if len(named) > URLS_MAX:
        raise SettingsError(f"{name} names {len(named)} URLs: name at most {URLS_MAX}")
    return tuple(dict.fromkeys(named))


def _origins(env: Environment) -> tuple[str, ...]:
    origins = env.origins(ORIGINS)
    if "*" in origins:
        raise SettingsError(f"{ORIGINS} has '*': name the origins by which people reach the console")
    return tuple(origin.lower() for origin in origins)


def _path(env: Environment, name: str) -> Path | None:
    path = env.text(name, "")
    return Path(path) if path else None
