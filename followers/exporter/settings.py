"""The settings of `stockwire exporter`, read once and checked (docs/reference/settings.md)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from server.settings.environment import Environment, SettingsError
from server.settings.ledger_url import ledger_url_of
from server.tls.certificate import Certificate, ca_file_of, certificate_of, refuse_unencrypted
from wire.names import NAME_PATTERN, NAME_REASON

HOST, PORT = "STOCKWIRE_EXPORTER_HOST", "STOCKWIRE_EXPORTER_PORT"
KEY, SKUS = "STOCKWIRE_EXPORTER_KEY", "STOCKWIRE_EXPORTER_SKUS"
PORT_DEFAULT = 8086
HOTTEST_MAX = 100
"""Each is three series in a Prometheus, for every one that was ever among them."""
SKUS_MAX = 1_000
"""On the list: for the same reason."""
LEVELS = 1_000_000
"""As many as a hub holds; 300 to 600 bytes each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``skus``: told of in any case, beside the ``hottest``. ``from_start``: audits the whole log, not from its end
    on."""

    ledger_url: str
    key: str = field(repr=False)
    host: str
    port: int
    hottest: int
    skus: tuple[str, ...]
    levels_max: int
    from_start: bool
    certificate: Certificate | None
    ledger_ca_file: Path | None
    behind_proxy: bool


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Raises SettingsError, naming the variable and the fix."""
    env = Environment(variables)
    settings = Settings(
        ledger_url=ledger_url_of(env),
        key=env.secret("STOCKWIRE_EXPORTER_KEY"),
        host=env.text(HOST, "127.0.0.1"),
        port=env.port(PORT, PORT_DEFAULT),
        hottest=env.integer("STOCKWIRE_EXPORTER_HOTTEST", HOTTEST_MAX, low=0, high=HOTTEST_MAX),
        skus=_skus(env),
        levels_max=env.integer("STOCKWIRE_EXPORTER_LEVELS_MAX", LEVELS, low=1_000, high=10_000_000),
        from_start=env.flag("STOCKWIRE_EXPORTER_FROM_START"),
        certificate=certificate_of(env),
        ledger_ca_file=ca_file_of(env),
        behind_proxy=env.flag("STOCKWIRE_BEHIND_PROXY"),
    )
    refuse_unencrypted({HOST: settings.host}, settings.certificate, behind_proxy=settings.behind_proxy)
    env.refuse_unknown()
    return settings


def _skus(env: Environment) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(env.items(SKUS)))
    for one in named:
        if not re.match(NAME_PATTERN, one):
            raise SettingsError(f"{SKUS} has {one!r}, which is no sku (it {NAME_REASON}): correct it or take it out")
    if len(named) > SKUS_MAX:
        raise SettingsError(f"{SKUS} has {len(named):,} skus, and {SKUS_MAX:,} are the most: take some out")
    return named
