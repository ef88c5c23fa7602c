"""What librdkafka is told about a broker."""

import logging
from typing import Any

from followers.brokers.broker import Broker

PORT = 9092
REQUEST_TIMEOUT_S = 10.0
"""For one answer of the broker."""
CONNECT_TIMEOUT_S = 5.0
RECONNECT_S_MAX = 2.0
"""Between two tries to connect: a broker that comes back is found within seconds."""

LOG_LEVEL = 0
"""Of syslog, the least: librdkafka has a line for each connection that fails, and whoever asked is told anyway."""
SILENT = logging.Logger("librdkafka", logging.CRITICAL + 1)
"""For the rest, which it would write to standard error as it likes, between lines that are JSON."""


def client_options(broker: Broker, client_id: str) -> dict[str, Any]:
    """Of a producer, consumer or admin client alike; with the password, so never to be shown."""
    address = broker.address
    options: dict[str, Any] = {
        "bootstrap.servers": ",".join(address.servers(PORT)),
        "client.id": client_id,
        "socket.timeout.ms": int(REQUEST_TIMEOUT_S * 1000),
        "socket.connection.setup.timeout.ms": int(CONNECT_TIMEOUT_S * 1000),
        "socket.keepalive.enable": True,
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": int(RECONNECT_S_MAX * 1000),
        "allow.auto.create.topics": False,
        "log_level": LOG_LEVEL,
        "logger": SILENT,
        "security.protocol": ("SASL_" if broker.user else "") + ("SSL" if address.tls else "PLAINTEXT"),
    }
    if broker.user:
        options |= {"sasl.mechanism": broker.sasl, "sasl.username": broker.user, "sasl.password": broker.password}
    if broker.ca_file is not None:
        options["ssl.ca.location"] = str(broker.ca_file)
    if broker.cert_file is not None:
        options |= {"ssl.certificate.location": str(broker.cert_file), "ssl.key.location": str(broker.key_file)}
    return options
