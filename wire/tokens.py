"""Short-lived tokens (JWT, HS256 with one shared secret) as ledger and hub both read them.

Claims (RFC 7519): ``iss`` and ``aud`` are ``stockwire``, ``sub`` the owner, ``exp`` and ``iat`` required; ``scope`` is
a space-separated list (RFC 8693), ``key`` the id of the API key that minted the token: revoking it ends the token.
"""

from dataclasses import dataclass

import jwt

ALGORITHM = "HS256"
ISSUER = AUDIENCE = "stockwire"
SECRET_BYTES_MIN = 32
REQUIRED = ["iss", "aud", "sub", "exp", "iat", "scope", "key"]


class BadToken(Exception):
    """The token is forged, malformed or not meant for Stockwire."""


class ExpiredToken(BadToken):
    """The token was good and has ended."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who stands behind a request. ``expires_at`` is a Unix time in seconds; None for an API key without an end."""

    owner: str
    key: str
    scopes: frozenset[str]
    expires_at: int | None = None


def mint(principal: Principal, issued_at: int, secret: str) -> str:
    """``principal.expires_at`` must be set."""
    if principal.expires_at is None:
        raise ValueError("a token needs an end: expires_at is None")
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": principal.owner,
        "key": principal.key,
        "scope": " ".join(sorted(principal.scopes)),
        "iat": issued_at,
        "exp": principal.expires_at,
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def verify(token: str, secret: str) -> Principal:
    """Raises ExpiredToken or BadToken."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": REQUIRED},
        )
    except jwt.ExpiredSignatureError as error:
        raise ExpiredToken(str(error)) from error
    except jwt.InvalidTokenError as error:
        raise BadToken(str(error)) from error
    if not isinstance(claims["scope"], str) or not isinstance(claims["key"], str):
        raise BadToken("scope and key must be text")
    return Principal(claims["sub"], claims["key"], frozenset(claims["scope"].split()), int(claims["exp"]))
