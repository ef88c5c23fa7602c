"""The settings of `stockwire relay`, read once and checked (docs/reference/settings.md)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from followers.brokers.address import KAFKA
from followers.brokers.broker import Broker, broker_of
from followers.brokers.exchange import EXCHANGE, OPTIONS, stream_port_of
from server.settings.environment import Environment, SettingsError
from server.settings.ledger_url import ledger_url_of
from server.tls.certificate import Certificate, ca_file_of, certificate_of, refuse_unencrypted

HOST, PORT = "STOCKWIRE_RELAY_HOST", "STOCKWIRE_RELAY_PORT"
TO, KEY = "STOCKWIRE_RELAY_TO", "STOCKWIRE_RELAY_KEY"
MODE, DELIVERY = "STOCKWIRE_RELAY_MODE", "STOCKWIRE_RELAY_DELIVERY"
BINARY, STRUCTURED = "binary", "structured"
EXACTLY_ONCE, AT_LEAST_ONCE = "exactly-once", "at-least-once"
PORT_DEFAULT = 8078
NAME = "stockwire"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""What Kafka takes for a topic, NATS for a stream and RabbitMQ for an exchange; and no dot, which is ours."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``prefix``: of whatever is made at the broker. ``system``: in each message's ``source``. ``stream_port``: of a
    RabbitMQ with an exchange, None where its streams have their usual port."""

    ledger_url: str
    key: str = field(repr=False)
    broker: Broker
    stream_port: int | None
    prefix: str
    system: str
    structured: bool
    at_least_once: bool
    host: str
    port: int
    certificate: Certificate | None
    ledger_ca_file: Path | None
    behind_proxy: bool

    @property
    def sink(self) -> str:
        """As metrics name it: kind of broker, prefix, exchange."""
        exchange = self.broker.address.options.get(EXCHANGE)
        return f"{self.broker.address.kind}://{self.prefix}" + (f"?{EXCHANGE}={exchange}" if exchange else "")


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Raises SettingsError, naming the variable and the fix."""
    env = Environment(variables)
    broker = broker_of(env, "STOCKWIRE_RELAY_TO", OPTIONS)
    settings = Settings(
        ledger_url=ledger_url_of(env),
        key=env.secret("STOCKWIRE_RELAY_KEY"),
        broker=broker,
        stream_port=stream_port_of(broker, TO),
        prefix=_name(env, "STOCKWIRE_RELAY_PREFIX"),
        system=_name(env, "STOCKWIRE_RELAY_SYSTEM"),
        structured=_either(env, "STOCKWIRE_RELAY_MODE", BINARY, STRUCTURED),
        at_least_once=_either(env, "STOCKWIRE_RELAY_DELIVERY", EXACTLY_ONCE, AT_LEAST_ONCE),
        host=env.text(HOST, "127.0.0.1"),
        port=env.port(PORT, PORT_DEFAULT),
        certificate=certificate_of(env),
        ledger_ca_file=ca_file_of(env),
        behind_proxy=env.flag("STOCKWIRE_BEHIND_PROXY"),
    )
    if settings.at_least_once and broker.address.kind != KAFKA:
        raise SettingsError(f"{DELIVERY}={AT_LEAST_ONCE} is for Kafka: unset it")
    refuse_unencrypted({HOST: settings.host}, settings.certificate, behind_proxy=settings.behind_proxy)
    env.refuse_unknown()
    return settings


def _name(env: Environment, name: str) -> str:
    value = env.text(name, NAME)
    if not _NAME.fullmatch(value):
        raise SettingsError(f"{name}={value!r} will not do: set it to up to 64 letters, digits, - and _")
    return value


def _either(env: Environment, name: str, usual: str, other: str) -> bool:
    """Whether it is the ``other``."""
    value = env.text(name, usual)
    if value not in (usual, other):
        raise SettingsError(f"{name}={value!r} is neither: set it to {usual} or {other}")
    return value == other
