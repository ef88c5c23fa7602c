"""An exchange of RabbitMQ as a URL names it: reached by AMQP, with the streams beside it at another port."""

from followers.brokers.address import RABBITMQ
from followers.brokers.broker import Broker
from server.settings.environment import SettingsError

EXCHANGE, STREAM_PORT = "exchange", "stream_port"
OPTIONS = {RABBITMQ: (EXCHANGE, STREAM_PORT)}


def stream_port_of(broker: Broker, name: str) -> int | None:
    """None where it is the usual one. ``name``: of the setting with the URL. Raises SettingsError."""
    port = broker.address.options.get(STREAM_PORT)
    if port is None:
        return None
    if EXCHANGE not in broker.address.options:
        raise SettingsError(
            f"{name} has a {STREAM_PORT} without an exchange: name the streams' port as rabbitmq://host:port"
        )
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
        raise SettingsError(f"{name} has {STREAM_PORT}={port!r}, which is no port: write a number up to 65535")
    return int(port)
