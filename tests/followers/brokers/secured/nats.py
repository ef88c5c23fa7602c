"""NATS that asks for a user and for a certificate, and lets each do what it was given."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.followers.brokers.secured.rights import Subjects
from tests.harness.brokers.nats_server import NatsServer
from tests.server.tls.certificates import Authority

PASSWORD = "correct horse"
"""Of every user."""
EVERYTHING = "everything"
"""The user who may do it."""
MORE = """
tls {{ cert_file: "{shown.chain}", key_file: "{shown.key}", ca_file: "{believed.file}", verify: true, timeout: 10 }}
authorization {{ timeout: 10, users: {users} }}
"""


class SecuredNats(NatsServer):
    def __init__(self, folder: Path, shown: Authority, believed: Authority, users: Mapping[str, Subjects]) -> None:
        allowed = [
            {"user": name, "password": PASSWORD, "permissions": {"publish": to, "subscribe": from_}}
            for name, (to, from_) in {EVERYTHING: Subjects([">"], [">"]), **users}.items()
        ]
        super().__init__(folder, MORE.format(shown=shown, believed=believed, users=json.dumps(allowed)))

    @property
    def secured(self) -> str:
        """URL."""
        return f"tls://{self.address}"
