"""TLS from files: the certificate that a process shows its clients, and those that it believes of ledgers. Reads files,
opens no connection.

One pair of files serves every port of a process that other machines reach. Renewed files are loaded into the context
that handshakes are made with: new connections get the new certificate, those that stand go on as they are.
"""

import logging
import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from server.settings.addresses import is_loopback
from server.settings.environment import Environment, SettingsError

CERT_SETTING, KEY_SETTING = "STOCKWIRE_TLS_CERT_FILE", "STOCKWIRE_TLS_KEY_FILE"
CA_SETTING = "STOCKWIRE_LEDGER_CA_FILE"
HANDSHAKE_S = 10.0
"""For the TLS handshake: a client that opens a connection and sends nothing holds memory no longer than this."""
SHUTDOWN_S = 5.0
"""For the other side to read what is left when a connection is closed; then the connection is cut off."""
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else."""
FILE_BYTES_MAX = 2**20
_OTHERS = stat.S_IRWXO
_NOT_YET, _EXPIRED = 9, 10  # X509_V_ERR_CERT_NOT_YET_VALID and ..._HAS_EXPIRED of OpenSSL's x509_vfy.h

log = logging.getLogger(__name__)


class _Encrypted(Exception):
    """The key wants a passphrase, and nobody is there to type it."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """``chain``: the certificate and those that lead to its root, PEM. ``key``: its private key, PEM, no passphrase."""

    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """A new one for servers, tried with a client of our own. Raises SettingsError."""
        _refuse_unreadable(CERT_SETTING, self.chain)
        _refuse_unreadable(KEY_SETTING, self.key)
        if (mode := stat.S_IMODE(self.key.stat().st_mode)) & _OTHERS:
            raise SettingsError(
                f"{KEY_SETTING}={self.key} is open to every user of this machine (mode {mode:04o}): chmod o= {self.key}"
            )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        _trusting(CERT_SETTING, self.chain)
        self.load_into(context)
        self._try(context)
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """Raises SettingsError."""
        try:
            context.load_cert_chain(self.chain, self.key, _refuse_passphrase)
        except _Encrypted:
            raise SettingsError(f"{KEY_SETTING}={self.key} wants a passphrase: name a key without one") from None
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise SettingsError(
                    f"{KEY_SETTING}={self.key} is not the key of {CERT_SETTING}={self.chain}: name files that were "
                    "made together"
                ) from None
            reason = error.reason or "no private key in PEM"
            raise SettingsError(
                f"{KEY_SETTING}={self.key} cannot be used with {CERT_SETTING}={self.chain} ({reason}): name a "
                "certificate and its private key, both PEM"
            ) from None
        except OSError as error:
            raise SettingsError(f"{KEY_SETTING}={self.key} cannot be read ({error.strerror}): name a file") from None

    def _try(self, context: ssl.SSLContext) -> None:
        """A handshake in memory, with a client that believes this very certificate. Raises SettingsError."""
        client = _trusting(CERT_SETTING, self.chain)
        client.check_hostname = False
        client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            _shake_hands(context, client)
        except ssl.SSLCertVerificationError as error:
            reason = {_NOT_YET: "is not valid yet", _EXPIRED: "has expired"}.get(
                error.verify_code, f"is refused by clients ({error.verify_message})"
            )
            fix = "renew it" if error.verify_code == _EXPIRED else "name one for a server, valid now"
            raise SettingsError(f"{CERT_SETTING}={self.chain} {reason}: {fix}") from None
        except ssl.SSLError as error:
            raise SettingsError(
                f"{CERT_SETTING}={self.chain} makes no connection ({error.reason}): name one with an ECDSA key, or "
                "with an RSA key of at least 2048 bits"
            ) from None


class Tls:
    """How one process encrypts. ``context`` stays the same object for its whole life. Raises SettingsError."""

    def __init__(self, certificate: Certificate) -> None:
        self._certificate = certificate
        self.context = certificate.context()

    def beyond_loopback(self, host: str) -> Self | None:
        """For an admin port: on loopback it is plain, so that a health check on this machine needs no certificate."""
        return None if is_loopback(host) else self

    def renew(self) -> None:
        """Take what is in the files now. Files that would not do for a start change nothing; the log says why."""
        try:
            self._certificate.context()
            self._certificate.load_into(self.context)
        except SettingsError as error:
            log.error("the certificate was not renewed, the one before stays reason=%r", str(error))
        else:
            log.info("certificate renewed file=%s", self._certificate.chain)


def certificate_of(env: Environment) -> Certificate | None:
    """None without TLS. Raises SettingsError."""
    chain, key = env.text(CERT_SETTING, ""), env.text(KEY_SETTING, "")
    if bool(chain) != bool(key):
        missing, present = (KEY_SETTING, CERT_SETTING) if chain else (CERT_SETTING, KEY_SETTING)
        raise SettingsError(f"{missing} is not set, and {present} is: set both, or none for no TLS")
    return Certificate(Path(chain), Path(key)) if chain else None


def refuse_unencrypted(hosts: Mapping[str, str], certificate: Certificate | None, *, behind_proxy: bool) -> None:
    """``hosts``: the address to listen on, by the name of its setting. Raises SettingsError for one that other machines
    reach while nothing is encrypted and nobody has said that a proxy in front does it."""
    if certificate is not None or behind_proxy:
        return
    for name, host in hosts.items():
        if not is_loopback(host):
            raise SettingsError(
                f"{name}={host} is open to other machines, and keys would cross the network as they are: set "
                f"{CERT_SETTING} and {KEY_SETTING}, or STOCKWIRE_BEHIND_PROXY=1 (--behind-proxy) if only a proxy that "
                "encrypts gets here"
            )


def ca_file_of(env: Environment) -> Path | None:
    """Raises SettingsError."""
    named = env.text(CA_SETTING, "")
    if not named:
        return None
    trusting(path := Path(named))
    return path


def trusting(ca_file: Path) -> ssl.SSLContext:
    """For clients of the ledger: believes the certificates in this file, and what they have signed, and no others.

    Raises SettingsError.
    """
    return _trusting(CA_SETTING, ca_file)


def _trusting(name: str, path: Path) -> ssl.SSLContext:
    _refuse_unreadable(name, path)
    try:
        return ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise SettingsError(f"{name}={path} holds no certificate: name a file in PEM") from None


def _refuse_unreadable(name: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            if len(file.read(FILE_BYTES_MAX + 1)) <= FILE_BYTES_MAX:
                return
    except OSError as error:
        raise SettingsError(f"{name}={path} cannot be read ({error.strerror}): name a readable file") from None
    raise SettingsError(f"{name}={path} has more than {FILE_BYTES_MAX:,} bytes: name a file in PEM")


def _refuse_passphrase() -> str:
    """OpenSSL would ask for it on the terminal, and wait."""
    raise _Encrypted


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """Raises ssl.SSLError."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True)]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                continue
