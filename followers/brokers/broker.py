"""One broker as the settings ``STOCKWIRE_BROKER_...`` have it: its address, who we are there, whom we believe."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from followers.brokers.address import KAFKA, Address, AddressUnusable, address_of
from server.settings.environment import Environment, SettingsError

USER, PASSWORD, SASL = "STOCKWIRE_BROKER_USER", "STOCKWIRE_BROKER_PASSWORD", "STOCKWIRE_BROKER_SASL"
CA_FILE = "STOCKWIRE_BROKER_CA_FILE"
CERT_FILE, KEY_FILE = "STOCKWIRE_BROKER_CERT_FILE", "STOCKWIRE_BROKER_KEY_FILE"
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
"""Of SASL, the first by default: a broker that knows PLAIN alone has to be named as such."""
PEM_BYTES_MAX = 2**20


@dataclass(frozen=True, slots=True)
class Broker:
    """``user``, ``password``: empty without. ``sasl``: of Kafka, where there is a user. ``ca_file``: who signed the
    broker's certificate, None for the usual authorities. ``cert_file``, ``key_file``: what we show, PEM."""

    address: Address
    user: str
    password: str = field(repr=False)
    sasl: str
    ca_file: Path | None
    cert_file: Path | None
    key_file: Path | None

    def context(self) -> ssl.SSLContext | None:
        """None without TLS. Raises SettingsError."""
        if not self.address.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError:  # and ssl.SSLError, which is one
            raise SettingsError(f"{CA_FILE}={self.ca_file} holds no certificate: name a file in PEM") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert_file is not None:
            try:
                context.load_cert_chain(self.cert_file, self.key_file, "")  # an empty passphrase: nobody is asked
            except OSError:
                raise SettingsError(
                    f"{CERT_FILE}={self.cert_file} and {KEY_FILE}={self.key_file} do not belong together, or the key "
                    "wants a passphrase: name a certificate and its private key, both PEM"
                ) from None
        return context

    def context_now(self) -> ssl.SSLContext | None:
        """For each connection: of the files as they are now. Raises ConnectionError, as of a broker that is away: a
        certificate may be renewed a moment before its key."""
        try:
            return self.context()
        except SettingsError as error:
            raise ConnectionError(str(error)) from error


def broker_of(env: Environment, name: str, options: Mapping[str, Sequence[str]]) -> Broker:
    """``name``: of the setting with the URL; ``options``: see ``address_of``. Raises SettingsError."""
    try:
        address = address_of(env.text(name), options)
    except AddressUnusable as error:
        raise SettingsError(f"{name} {error}") from None
    user = env.text(USER, "")
    if env.has_secret(PASSWORD) != bool(user):
        missing, present = (f"{PASSWORD}_FILE", USER) if user else (USER, PASSWORD)
        raise SettingsError(f"{missing} is not set, and {present} is: set both, or none")
    broker = Broker(
        address,
        user,
        env.secret("STOCKWIRE_BROKER_PASSWORD") if user else "",
        _mechanism(env, address, user),
        _pem(env, "STOCKWIRE_BROKER_CA_FILE", address),
        _pem(env, "STOCKWIRE_BROKER_CERT_FILE", address),
        _pem(env, "STOCKWIRE_BROKER_KEY_FILE", address),
    )
    if (broker.cert_file is None) != (broker.key_file is None):
        missing, present = (CERT_FILE, KEY_FILE) if broker.cert_file is None else (KEY_FILE, CERT_FILE)
        raise SettingsError(f"{missing} is not set, and {present} is: set both, or none")
    broker.context()
    return broker


def _mechanism(env: Environment, address: Address, user: str) -> str:
    named = env.text("STOCKWIRE_BROKER_SASL", "")
    if named and (address.kind != KAFKA or not user):
        raise SettingsError(f"{SASL} is for Kafka with {USER}: unset it")
    if named and named not in MECHANISMS:
        raise SettingsError(f"{SASL}={named!r} is none that is known: set it to one of {', '.join(MECHANISMS)}")
    return named or MECHANISMS[0]


def _pem(env: Environment, name: str, address: Address) -> Path | None:
    path = env.text(name, "")
    if not path:
        return None
    if not address.tls:
        raise SettingsError(
            f"{name} is set, and the broker's URL encrypts nothing: begin it with kafkas://, rabbitmqs:// or tls://"
        )
    env.file(name, path, bytes_max=PEM_BYTES_MAX)
    return Path(path)
