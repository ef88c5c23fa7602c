"""The settings of the console, read once and checked (docs/reference/settings.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from server.settings.addresses import Network
from server.settings.environment import Environment, SettingsError, checked_url
from server.tls.certificate import Certificate, ca_file_of, certificate_of, refuse_unencrypted

HOST, PORT = "STOCKWIRE_CONSOLE_HOST", "STOCKWIRE_CONSOLE_PORT"
ORIGINS = "STOCKWIRE_CONSOLE_ORIGINS"
HTTP = ("http", "https")
PORT_DEFAULT = 8083
ADMIN_URLS_MAX = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """``origins``: by which browsers reach the console; empty: by its own address. ``link``, ``control``, ``data``: of
    a `stockwire up`.
    """

    ledger_url: str
    key: str = field(repr=False)
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
        ledger_url=env.url("STOCKWIRE_URL", HTTP).rstrip("/"),
        key=env.secret("STOCKWIRE_CONSOLE_KEY"),
        admin_urls=_admin_urls(env),
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


def _admin_urls(env: Environment) -> tuple[str, ...]:
    named = [checked_url("STOCKWIRE_ADMIN_URLS", item, HTTP).rstrip("/") for item in env.items("STOCKWIRE_ADMIN_URLS")]
    if len(named) > ADMIN_URLS_MAX:
        raise SettingsError(f"STOCKWIRE_ADMIN_URLS names {len(named)} URLs: name at most {ADMIN_URLS_MAX}")
    return tuple(dict.fromkeys(named))


def _origins(env: Environment) -> tuple[str, ...]:
    origins = env.origins(ORIGINS)
    if "*" in origins:
        raise SettingsError(f"{ORIGINS} has '*': name the origins by which people reach the console")
    return tuple(origin.lower() for origin in origins)


def _path(env: Environment, name: str) -> Path | None:
    path = env.text(name, "")
    return Path(path) if path else None
