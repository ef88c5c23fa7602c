"""Secrets of endpoints: made here, and sealed before they lie anywhere."""

import secrets

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from followers.sealing import Seal, SealBroken
from followers.webhooks.key_ring import HeldKey, KeyRing
from followers.webhooks.signature import AsymmetricKey, SymmetricKey, key_of

NEW_SECRET_BYTES = 32


class _Kept(msgspec.Struct, frozen=True):
    key: str
    ends_s: float | None


def seal_ring(seal: Seal, ring: KeyRing) -> bytes:
    return seal.seal(msgspec.json.encode([_Kept(one.key.text, one.ends_s) for one in ring.held]))


def open_ring(seal: Seal, sealed: bytes) -> KeyRing:
    """Raises SealBroken."""
    kept = msgspec.json.decode(seal.open(sealed), type=list[_Kept])
    return KeyRing(tuple(HeldKey(key_of(one.key), one.ends_s) for one in kept))


def opens(seal: Seal, sealed: bytes) -> bool:
    try:
        seal.open(sealed)
    except SealBroken:
        return False
    return True


def new_secret() -> SymmetricKey:
    return SymmetricKey(secrets.token_bytes(NEW_SECRET_BYTES))


def new_signing_key() -> AsymmetricKey:
    return AsymmetricKey(Ed25519PrivateKey.generate())
