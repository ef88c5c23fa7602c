"""The settings of `stockwire intake`, read once and checked (docs/reference/settings.md)."""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from followers.brokers.broker import Broker, broker_of
from server.settings.environment import Environment, SettingsError
from server.settings.ledger_url import ledger_url_of
from server.tls.certificate import Certificate, ca_file_of, certificate_of, refuse_unencrypted

HOST, PORT = "STOCKWIRE_INTAKE_HOST", "STOCKWIRE_INTAKE_PORT"
KEY = "STOCKWIRE_INTAKE_KEY"
PORT_DEFAULT = 8079
NAME = "stockwire"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""As of a relay: what all brokers take, and no dot, which is ours."""
WINDOW, WINDOW_MAX = 256, 1_000


@dataclass(frozen=True, slots=True)
class Settings:
    """``prefix``: of topics, queues and streams at the broker. ``system``: in the ``source`` of each result.
    ``window``: commands that are in hand at most. ``instance``: what this process is called beside others, and again
    when it starts anew; empty where its port is chosen anew each time, or its host."""

    ledger_url: str
    key: str = field(repr=False)
    broker: Broker
    prefix: str
    system: str
    window: int
    instance: str
    host: str
    port: int
    certificate: Certificate | None
    ledger_ca_file: Path | None
    behind_proxy: bool


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Raises SettingsError, naming the variable and the fix."""
    env = Environment(variables)
    port = env.port(PORT, PORT_DEFAULT)
    settings = Settings(
        ledger_url=ledger_url_of(env),
        key=env.secret("STOCKWIRE_INTAKE_KEY"),
        broker=broker_of(env, "STOCKWIRE_INTAKE_FROM", {}),
        prefix=_name(env, "STOCKWIRE_INTAKE_PREFIX"),
        system=_name(env, "STOCKWIRE_INTAKE_SYSTEM"),
        window=env.integer("STOCKWIRE_INTAKE_WINDOW", WINDOW, low=1, high=WINDOW_MAX),
        instance="" if not port or env.flag("STOCKWIRE_INTAKE_EPHEMERAL") else f"{socket.gethostname()}-{port}",
        host=env.text(HOST, "127.0.0.1"),
        port=port,
        certificate=certificate_of(env),
        ledger_ca_file=ca_file_of(env),
        behind_proxy=env.flag("STOCKWIRE_BEHIND_PROXY"),
    )
    refuse_unencrypted({HOST: settings.host}, settings.certificate, behind_proxy=settings.behind_proxy)
    env.refuse_unknown()
    return settings


def _name(env: Environment, name: str) -> str:
    value = env.text(name, NAME)
    if not _NAME.fullmatch(value):
        raise SettingsError(f"{name}={value!r} will not do: set it to up to 64 letters, digits, - and _")
    return value
