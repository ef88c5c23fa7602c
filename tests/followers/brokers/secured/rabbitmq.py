"""RabbitMQ that asks for a user and for a certificate, and lets each do what it was given."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tests.followers.brokers.secured.certificates import Certificates
from tests.followers.brokers.secured.rights import Permissions
from tests.harness.brokers.broker import HOST
from tests.harness.brokers.rabbitmq import RabbitMQ
from tests.harness.servers import free_port
from tests.server.tls.certificates import Authority

PASSWORD = "correct horse"
"""Of every user but ``guest``."""
ANOTHER_HOST = "127.0.0.2"
"""On loopback too, and not in the certificate."""
NAMED = "localhost"
"""Who asks for this name is shown a certificate that has expired."""
VHOSTS = ("/", "shop")
LISTENERS = """
listeners.ssl.1 = {host}:{port}
listeners.ssl.2 = {another}:{port}
stream.listeners.ssl.1 = {host}:{stream_port}
stream.listeners.ssl.2 = {another}:{stream_port}
load_definitions = {definitions}
"""
ADVANCED = """
[{{rabbit, [{{ssl_options, [
  {{cacertfile, "{believed}"}}, {{certfile, "{good.chain}"}}, {{keyfile, "{good.key}"}},
  {{verify, verify_peer}}, {{fail_if_no_peer_cert, true}},
  {{sni_hosts, [{{"{named}", [{{certfile, "{expired.chain}"}}, {{keyfile, "{expired.key}"}}]}}]}}
]}}]}}].
"""


class SecuredRabbitMQ(RabbitMQ):
    """Beside what others have, as ``guest`` and unencrypted: ``tls_port``, ``stream_tls_port``."""

    def __init__(self, folder: Path, certificates: Certificates, users: Mapping[str, Permissions]) -> None:
        """``users``: what each may do, in all ``VHOSTS``."""
        self.tls_port, self.stream_tls_port = free_port(), free_port()
        folder.mkdir(parents=True)
        definitions = folder / "definitions.json"
        definitions.write_text(json.dumps(_definitions({"guest": Permissions(".*", ".*", ".*"), **users})))
        self._advanced = folder / "advanced.config"
        self._advanced.write_text(_advanced(certificates.ours, certificates.good, certificates.expired))
        super().__init__(
            folder,
            LISTENERS.format(
                host=HOST,
                another=ANOTHER_HOST,
                port=self.tls_port,
                stream_port=self.stream_tls_port,
                definitions=definitions,
            ),
        )

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "RABBITMQ_ADVANCED_CONFIG_FILE": str(self._advanced)}

    def streams(self, host: str = HOST, vhost: str = "") -> str:
        """URL."""
        return f"rabbitmqs://{host}:{self.stream_tls_port}/{vhost}"

    def amqp(self, host: str = HOST, vhost: str = "", query: str = "") -> str:
        return f"rabbitmqs://{host}:{self.tls_port}/{vhost}{query}"

    def exchange(self, host: str = HOST, vhost: str = "") -> str:
        return self.amqp(host, vhost, f"?exchange=stock&stream_port={self.stream_tls_port}")


def _advanced(believed: Authority, good: Authority, expired: Authority) -> str:
    return ADVANCED.format(believed=believed.file, good=good, named=NAMED, expired=expired)


def _definitions(users: Mapping[str, Permissions]) -> dict[str, object]:
    return {
        "users": [
            {"name": name, "password_hash": _hash("guest" if name == "guest" else PASSWORD), "tags": ""}
            for name in users
        ],
        "vhosts": [{"name": vhost} for vhost in VHOSTS],
        "permissions": [
            {"user": name, "vhost": vhost, **permissions._asdict()}
            for name, permissions in users.items()
            for vhost in VHOSTS
        ],
    }


def _hash(password: str) -> str:
    """As RabbitMQ keeps it: four bytes of salt, and SHA-256 of both."""
    salt = b"salt"
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
