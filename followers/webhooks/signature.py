"""Signatures of messages, as Standard Webhooks 1.0 defines them. Pure.

What is signed is ``id.timestamp.body``: the id without a dot, the timestamp of this attempt in whole seconds, the body
as it is sent. ``v1`` is HMAC-SHA256 under a secret that both sides hold (``whsec_``); ``v1a`` is ed25519, of which the
receiver holds the public half only (``whsk_`` signs, ``whpk_`` verifies). Source:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET, SIGNING, PUBLIC = "whsec_", "whsk_", "whpk_"
SECRET_BYTES_MIN, SECRET_BYTES_MAX = 24, 64
SEED_BYTES = 32
"""An ed25519 key is its seed; some write the public half behind it, 64 bytes in all."""


class KeyUnusable(Exception):
    """A text is no key; the message says what one is, and shows nothing of the text."""


class Key(Protocol):
    """``text``: with its prefix, for whoever keeps it."""

    @property
    def text(self) -> str: ...

    def signed(self, content: bytes) -> str:
        """Version, comma and signature in base64."""


@dataclass(frozen=True, slots=True)
class SymmetricKey:
    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return SECRET + _base64(self.secret)

    def signed(self, content: bytes) -> str:
        return "v1," + _base64(hmac.digest(self.secret, content, hashlib.sha256))


@dataclass(frozen=True, slots=True)
class AsymmetricKey:
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def text(self) -> str:
        return SIGNING + _base64(self.private.private_bytes_raw())

    @property
    def public_text(self) -> str:
        return PUBLIC + _base64(self.private.public_key().public_bytes_raw())

    def signed(self, content: bytes) -> str:
        return "v1a," + _base64(self.private.sign(content))


def key_of(text: str) -> SymmetricKey | AsymmetricKey:
    """Raises KeyUnusable."""
    if text.startswith(SECRET):
        return _symmetric(_bytes_of(text.removeprefix(SECRET)))
    if text.startswith(SIGNING):
        return _asymmetric(_bytes_of(text.removeprefix(SIGNING)))
    raise KeyUnusable(f"must begin with {SECRET} or {SIGNING}")


def sign(keys: Sequence[Key], message_id: str, timestamp_s: int, body: bytes) -> str:
    """The value of ``webhook-signature``: one of each key, parted by spaces, so that a receiver that knows one of them
    is content. ``message_id`` without a dot: the receiver could not tell where it ends."""
    assert keys, "a message is signed"
    assert "." not in message_id, message_id
    content = b"%s.%d.%s" % (message_id.encode(), timestamp_s, body)
    return " ".join(key.signed(content) for key in keys)


def _symmetric(secret: bytes) -> SymmetricKey:
    if not SECRET_BYTES_MIN <= len(secret) <= SECRET_BYTES_MAX:
        raise KeyUnusable(
            f"has {len(secret)} bytes: a {SECRET} secret has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX}, in base64"
        )
    return SymmetricKey(secret)


def _asymmetric(raw: bytes) -> AsymmetricKey:
    if len(raw) not in (SEED_BYTES, 2 * SEED_BYTES):
        raise KeyUnusable(f"has {len(raw)} bytes: a {SIGNING} key has {SEED_BYTES}, or twice that with its public half")
    private = Ed25519PrivateKey.from_private_bytes(raw[:SEED_BYTES])
    if raw[SEED_BYTES:] not in (b"", private.public_key().public_bytes_raw()):
        raise KeyUnusable("has a public half that is not its own")
    return AsymmetricKey(private)


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise KeyUnusable("is no base64 behind its prefix") from None


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
