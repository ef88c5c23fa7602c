"""The private keys that a ledger signs tokens with, and what it publishes of them. Pure."""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from server.tokens.key_set import RSA_BITS, PublicKey
from wire.tokens import Signer

SIGNING_KEYS_MAX = 8

_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----", re.DOTALL)
_THUMBED = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}


class BadSigningKey(Exception):
    """The file holds no key that can be used. The message never shows what it holds."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """``public``: the public half as a JSON Web Key."""

    signer: Signer
    public: dict[str, Any]


def read_signing_keys(pem: bytes) -> tuple[SigningKey, ...]:
    """One or several private keys (PEM, not encrypted): the first signs, all are published. Raises BadSigningKey."""
    blocks = [match.group() for match in _BLOCK.finditer(pem)]
    if not 1 <= len(blocks) <= SIGNING_KEYS_MAX:
        raise BadSigningKey(f"it has {len(blocks)} private keys (PEM): 1 to {SIGNING_KEYS_MAX} are needed")
    return tuple(_read(number, block) for number, block in enumerate(blocks, 1))


def key_set_of(keys: Sequence[SigningKey]) -> dict[str, Any]:
    """A JSON Web Key Set (RFC 7517)."""
    return {"keys": [key.public for key in keys]}


def public_keys_of(keys: Sequence[SigningKey]) -> dict[str, PublicKey]:
    return {str(key.signer.key_id): PublicKey(key.signer.key.public_key(), (key.signer.algorithm,)) for key in keys}


def _read(number: int, block: bytes) -> SigningKey:
    try:
        key = load_pem_private_key(block, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadSigningKey(f"its private key {number} cannot be read: it is damaged or encrypted") from None
    if isinstance(key, RSAPrivateKey) and RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
        return _signing_key(key, "RS256", RSAAlgorithm.to_jwk(key.public_key(), as_dict=True))
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return _signing_key(key, "ES256", ECAlgorithm.to_jwk(key.public_key(), as_dict=True))
    if isinstance(key, Ed25519PrivateKey):
        return _signing_key(key, "EdDSA", OKPAlgorithm.to_jwk(key.public_key(), as_dict=True))
    raise BadSigningKey(f"its private key {number} must be of EC P-256, Ed25519 or RSA of {RSA_BITS[0]} bits or more")


def _signing_key(key: Any, algorithm: str, public: dict[str, Any]) -> SigningKey:
    thumbprint = _thumbprint(public)
    described = {name: value for name, value in public.items() if name != "key_ops"}
    return SigningKey(
        Signer(key, algorithm, thumbprint), {**described, "kid": thumbprint, "alg": algorithm, "use": "sig"}
    )


def _thumbprint(public: dict[str, Any]) -> str:
    """RFC 7638: the same key has the same id in every ledger."""
    members = {name: public[name] for name in _THUMBED[public["kty"]]}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
