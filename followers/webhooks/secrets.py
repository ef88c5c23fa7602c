"""Secrets of endpoints: made here, and sealed before they lie anywhere, under keys that come from a file."""

import secrets
from collections.abc import Sequence

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from followers.webhooks.key_ring import HeldKey, KeyRing
from followers.webhooks.signature import AsymmetricKey, SymmetricKey, key_of

NEW_SECRET_BYTES = 32
SEALING_KEYS_MAX = 16


class SealBroken(Exception):
    """What is stored cannot be opened under any of the keys of the file."""


class SealingKeysUnusable(Exception):
    """The file holds no usable keys; the message says what is in such a file."""


class _Kept(msgspec.Struct, frozen=True):
    key: str
    ends_s: float | None


class Seal:
    """``keys``: as Fernet writes them (32 bytes in base64, URL-safe). The first one seals; all of them open: a new
    one is put in front, and an old one stays until each endpoint's own keys were rotated, which seals them anew.

    Raises SealingKeysUnusable.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise SealingKeysUnusable(
                "needs one key a line, each 32 bytes in URL-safe base64, the newest first"
            ) from None
        self._decoder = msgspec.json.Decoder(list[_Kept])

    def seal(self, ring: KeyRing) -> bytes:
        return self._fernet.encrypt(msgspec.json.encode([_Kept(one.key.text, one.ends_s) for one in ring.held]))

    def open(self, sealed: bytes) -> KeyRing:
        """Raises SealBroken."""
        try:
            kept = self._decoder.decode(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise SealBroken(
                "no key of the file opens the endpoint's secret: put the key that sealed it back"
            ) from None
        return KeyRing(tuple(HeldKey(key_of(one.key), one.ends_s) for one in kept))


def seal_of(text: str) -> Seal:
    """``text``: of the file, a key a line; empty lines and those that begin with # are passed over.

    Raises SealingKeysUnusable."""
    lines = [line.strip() for line in text.splitlines()]
    return Seal([line for line in lines if line and not line.startswith("#")][:SEALING_KEYS_MAX])


def new_sealing_key() -> str:
    return Fernet.generate_key().decode("ascii")


def new_secret() -> SymmetricKey:
    return SymmetricKey(secrets.token_bytes(NEW_SECRET_BYTES))


def new_signing_key() -> AsymmetricKey:
    return AsymmetricKey(Ed25519PrivateKey.generate())
