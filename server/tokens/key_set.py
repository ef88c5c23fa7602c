"""Public keys of an issuer, as a JSON Web Key Set (RFC 7517) states them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from wire.tokens import KEY_ID_CHARACTERS_MAX

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""All of them asymmetric: whoever can check a token must not be able to make one."""
SET_BYTES_MAX = 256 * 1024
KEYS_MAX = 100
RSA_BITS = (2_048, 8_192)
"""A shorter key can be broken; a longer one costs whoever checks it too much."""

_OF_TYPE = {"RSA": ("RS256", "PS256"), "EC": ("ES256",), "OKP": ("EdDSA",)}
_CURVES = {"EC": "P-256", "OKP": "Ed25519"}
_decoder = msgspec.json.Decoder(dict[str, Any])


class BadKeySet(Exception):
    """The document is no key set, or none of its keys can be used."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """``algorithms``: those that a token proved with ``key`` may name."""

    key: Any
    algorithms: tuple[str, ...]


def read_key_set(document: bytes) -> dict[str, PublicKey]:
    """The usable keys by their ids; others, such as those for encryption, are passed over. Raises BadKeySet.

    A set without keys is a statement: nothing that this issuer signed is good.
    """
    if len(document) > SET_BYTES_MAX:
        raise BadKeySet(f"it has {len(document)} bytes, more than {SET_BYTES_MAX}")
    try:
        stated = _decoder.decode(document).get("keys")
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise BadKeySet("it is no JSON object") from None
    if not isinstance(stated, list) or len(stated) > KEYS_MAX:
        raise BadKeySet(f"its `keys` must be a list of at most {KEYS_MAX}")
    found: dict[str, PublicKey] = {}
    for entry in stated:
        key = _read(entry) if isinstance(entry, dict) else None
        if key is not None:
            found.setdefault(entry["kid"], key)
    if stated and not found:
        raise BadKeySet(f"none of its {len(stated)} keys can be used: {_NEEDED}")
    return found


_NEEDED = "a key needs kid, a kty of RSA (2048 to 8192 bits), EC (P-256) or OKP (Ed25519), and no other use than sig"


def _read(entry: Mapping[str, Any]) -> PublicKey | None:
    """None for a key that proves nothing here. What is wrong with it is not said: it may hold a private part."""
    algorithms = _algorithms_of(entry)
    if not algorithms:
        return None
    try:
        key = jwt.PyJWK.from_dict(dict(entry), algorithms[0]).key
    except (jwt.PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    if isinstance(key, RSAPublicKey):
        return PublicKey(key, algorithms) if RSA_BITS[0] <= key.key_size <= RSA_BITS[1] else None
    return PublicKey(key, algorithms) if isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey) else None


def _algorithms_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """What a key may be used with: empty if its members do not agree, or if it is not for signatures."""
    kid, kty, stated = entry.get("kid"), entry.get("kty"), entry.get("alg")
    if not isinstance(kid, str) or not 0 < len(kid) <= KEY_ID_CHARACTERS_MAX or not isinstance(kty, str):
        return ()
    operations = entry.get("key_ops", ["verify"])
    if entry.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return ()
    if "d" in entry or (kty in _CURVES and entry.get("crv") != _CURVES[kty]):
        return ()
    return tuple(algorithm for algorithm in _OF_TYPE.get(kty, ()) if stated is None or stated == algorithm)
