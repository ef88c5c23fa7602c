"""Apache Kafka that asks for a user and for a certificate, and lets each do what it was given."""

from collections.abc import Sequence
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding
from confluent_kafka.admin._scram import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from cryptography.hazmat.primitives import serialization

from tests.followers.brokers.secured.certificates import Certificates
from tests.harness.brokers.apache_kafka import ApacheKafka
from tests.harness.brokers.broker import HOST
from tests.harness.servers import free_port
from tests.harness.waiting import PATIENCE_S
from tests.server.tls.certificates import Authority

PASSWORD = "correct horse"
"""Of every user."""
MECHANISMS = (ScramMechanism.SCRAM_SHA_512, ScramMechanism.SCRAM_SHA_256)
LISTENERS = """
listeners=PLAINTEXT://{{host}}:{{port}},CONTROLLER://{{host}}:{{controller_port}},{listeners}
advertised.listeners=PLAINTEXT://{{host}}:{{port}},{listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,{protocols}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""
LISTENER = """
listener.name.{name}.ssl.keystore.type=PEM
listener.name.{name}.ssl.keystore.location={shown}
listener.name.{name}.ssl.truststore.type=PEM
listener.name.{name}.ssl.truststore.location={believed}
listener.name.{name}.ssl.client.auth={asked}
listener.name.{name}.sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN
listener.name.{name}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.{name}.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.{name}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
    user_plain="{password}";
"""


class SecuredKafka(ApacheKafka):
    """Who comes unencrypted (``address``) may do everything. ``secured``, ``expired``, ``elsewhere``: URLs of those
    that show these certificates and want a user; the first one wants a certificate too."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        shown = {"secured": certificates.good, "expired": certificates.expired, "elsewhere": certificates.elsewhere}
        at = {name: f"{HOST}:{free_port()}" for name in shown}
        folder.mkdir(parents=True)
        more = LISTENERS.format(
            listeners=",".join(f"{name.upper()}://{address}" for name, address in at.items()),
            protocols=",".join(f"{name.upper()}:SASL_SSL" for name in at),
        )
        for name, authority in shown.items():
            more += LISTENER.format(
                name=name,
                shown=_together(authority, folder / f"{name}.pem"),
                believed=certificates.ours.file,
                asked="required" if name == "secured" else "none",
                password=PASSWORD,
            )
        super().__init__(folder, more)
        self.secured, self.expired, self.elsewhere = (f"kafkas://{address}" for address in at.values())

    def start(self) -> None:
        super().start()
        self._admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})

    def make_user(self, name: str) -> None:
        """Blocks. For SCRAM; PLAIN knows the user ``plain`` alone."""
        for mechanism in MECHANISMS:
            made = UserScramCredentialUpsertion(name, ScramCredentialInfo(mechanism, 4_096), PASSWORD.encode())
            for future in self._admin.alter_user_scram_credentials([made]).values():
                future.result(PATIENCE_S)

    def allow(self, rights: Sequence[AclBinding]) -> None:
        """Blocks."""
        for future in self._admin.create_acls(list(rights)).values():
            future.result(PATIENCE_S)


def _together(authority: Authority, file: Path) -> Path:
    """Key and certificates in one, as Kafka wants them: the key in PKCS #8."""
    key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(text + authority.chain.read_bytes())
    return file
