"""Tokens (JWT, RFC 7519) as ledger and hub both read them. Pure: keys and the time are handed in.

Two kinds. Stockwire's own are made with an API key and name it (``key``): revoking the key ends them. Those of an
identity provider have no such key; they end by ``exp`` alone. ``iss``, ``aud``, ``sub`` and ``exp`` are required of
both; scopes stand in ``scope``, separated by spaces (RFC 8693), or in a provider's ``scp``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from wire.scopes import is_scope

SHARED_SECRET = "HS256"
SECRET_BYTES_MIN = 32
STOCKWIRE = "stockwire"
"""The issuer of tokens that a ledger makes, and the audience unless another is set."""
TOKEN_BYTES_MAX = 8_192
"""What one request header can hold: looked at before anything is decoded."""
LEEWAY_S = 30.0
"""For ``nbf`` and ``iat``: an issuer's clock may be ahead. ``exp`` has none: what has ended is closed within 5 s."""
SECONDS_MAX = 253_402_300_799
"""The end of the year 9999: a later time cannot be told to anybody."""
KEY_ID_CHARACTERS_MAX = 256
OF_API_KEYS = frozenset({"hub", "admin"})
"""Scopes that only an API key, or a token made with one, can have: what runs the system can be revoked."""

_OWNER = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,128}\Z")
_READABLE: Any = {"verify_signature": False}


class BadToken(Exception):
    """The token is forged, malformed or not meant for Stockwire."""


class ExpiredToken(BadToken):
    """The token was good and has ended."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who stands behind a request. ``expires_at`` is a Unix time in seconds; None for an API key without an end.

    ``key``: the id of the API key, or of the one that made the token. None for a provider's token: there is no key to
    revoke, and ``expires_at`` is set.
    """

    owner: str
    key: str | None
    scopes: frozenset[str]
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """What ``iss`` and ``aud`` must be. ``names_key``: a ledger made the token, with the API key that it names."""

    name: str
    audience: str
    names_key: bool


@dataclass(frozen=True, slots=True)
class Signer:
    """``key``: the shared secret, or a private key; then ``key_id`` is its name in the key set."""

    key: Any = field(repr=False)
    algorithm: str
    key_id: str | None = None


OURS = Issuer(STOCKWIRE, STOCKWIRE, names_key=True)


@dataclass(frozen=True, slots=True)
class Unproven:
    """What a token says of itself: good for choosing the key to prove it with, and for nothing else."""

    algorithm: str
    key_id: str | None
    issuer: str


NO_CREDENTIAL = "this is neither an API key, which begins with sw_, nor a token"


def shared_secret(secret: str) -> Signer:
    return Signer(secret, SHARED_SECRET)


def mint(principal: Principal, issued_at: int, signer: Signer, issuer: Issuer = OURS) -> str:
    """``principal.expires_at`` and ``principal.key`` must be set."""
    if principal.expires_at is None or principal.key is None:
        raise ValueError(f"a token needs an end and a key: {principal}")
    claims = {
        "iss": issuer.name,
        "aud": issuer.audience,
        "sub": principal.owner,
        "key": principal.key,
        "scope": " ".join(sorted(principal.scopes)),
        "iat": issued_at,
        "exp": principal.expires_at,
    }
    headers = None if signer.key_id is None else {"kid": signer.key_id}
    return jwt.encode(claims, signer.key, algorithm=signer.algorithm, headers=headers)


def looks_like_token(text: str) -> bool:
    """Whether it has the three parts of one (RFC 7515, 7.1). What has not, nobody has made as a token."""
    return text.count(".") == 2


def read_unproven(token: str) -> Unproven:
    """Nothing is proved yet. Keys or addresses of keys in the header (``jwk``, ``jku``, ``x5u``) are not looked at.

    Raises BadToken.
    """
    if len(token) > TOKEN_BYTES_MAX:
        raise BadToken(f"a token may have {TOKEN_BYTES_MAX} characters, not {len(token)}")
    try:
        decoded = jwt.decode_complete(token, options=_READABLE)
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise BadToken(str(error)) from error
    algorithm, key_id = decoded["header"].get("alg"), decoded["header"].get("kid")
    issuer = decoded["payload"].get("iss")
    if not isinstance(algorithm, str) or not isinstance(issuer, str):
        raise BadToken("alg and iss are required")
    if key_id is not None and not (isinstance(key_id, str) and len(key_id) <= KEY_ID_CHARACTERS_MAX):
        raise BadToken(f"kid must be text of at most {KEY_ID_CHARACTERS_MAX} characters")
    return Unproven(algorithm, key_id, issuer)


def verify(token: str, key: Any, algorithm: str, issuer: Issuer, now: float) -> Principal:
    """``algorithm``: the only one that is good for this key. ``now``: Unix time. Raises ExpiredToken or BadToken."""
    if len(token) > TOKEN_BYTES_MAX:
        raise BadToken(f"a token may have {TOKEN_BYTES_MAX} characters, not {len(token)}")
    required = ["iss", "aud", "sub", "exp", *(("iat", "scope", "key") if issuer.names_key else ())]
    options: Any = {"require": required, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
    try:
        claims = jwt.decode(
            token, key, algorithms=[algorithm], audience=issuer.audience, issuer=issuer.name, options=options
        )
    except (jwt.InvalidTokenError, jwt.InvalidKeyError, ValueError, TypeError, RecursionError) as error:
        raise BadToken(str(error)) from error
    ends = _ends(claims, now)
    if not _OWNER.match(claims["sub"]):
        raise BadToken("sub must be 1 to 128 characters without control characters")
    if not issuer.names_key:
        return Principal(claims["sub"], None, _scopes_of_provider(claims), ends)
    if not isinstance(claims["scope"], str) or not isinstance(claims["key"], str):
        raise BadToken("scope and key must be text")
    return Principal(claims["sub"], claims["key"], frozenset(claims["scope"].split()), ends)


def _ends(claims: Mapping[str, Any], now: float) -> int:
    for name in ("nbf", "iat"):
        if name in claims and _seconds(claims, name) > now + LEEWAY_S:
            raise BadToken(f"the token is not good yet ({name})")
    ends = _seconds(claims, "exp")
    if ends <= now:
        raise ExpiredToken("the token has ended")
    return int(ends)


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims[name]
    if type(value) not in (int, float) or not 0 <= value <= SECONDS_MAX:  # NaN is neither
        raise BadToken(f"{name} must be a Unix time in seconds")
    return float(value)


def _scopes_of_provider(claims: Mapping[str, Any]) -> frozenset[str]:
    """A provider's tokens are for many services: what is no scope of ours means nothing here."""
    stated = claims.get("scope", claims.get("scp", ""))
    words = stated.split() if isinstance(stated, str) else stated
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise BadToken("scope or scp must be text, or a list of texts")
    return frozenset(word for word in words if is_scope(word) and word not in OF_API_KEYS)
