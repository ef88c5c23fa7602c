"""The credential of a request, an API key or a token, and what is said of one that is not good."""

from collections.abc import Sequence

from server.problems import Unauthorized
from server.tokens.verifier import Verifier
from wire.tokens import NO_CREDENTIAL, BadToken, ExpiredToken, Principal, looks_like_token

KEY_PREFIX = "sw_"
"""Every API key begins with it; no token does."""
KEY_REFUSED = "the API key is unknown, ended or revoked"
MAKER_REFUSED = "the API key that made this token is unknown, ended or revoked"


def credential_of(authorization: Sequence[str]) -> str:
    """Of the values of ``Authorization``. Raises Unauthorized, also for two: somebody in between may look at the other.

    The scheme is ``Bearer`` (RFC 6750, 2.1), in any case.
    """
    scheme, _, credential = (authorization[0] if len(authorization) == 1 else "").partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or not credential:
        raise Unauthorized("send Authorization: Bearer <API key or token>, once")
    return credential


def is_key(credential: str) -> bool:
    return credential.startswith(KEY_PREFIX)


async def token_holder(verifier: Verifier, token: str) -> Principal:
    """Who stands behind a token; whether its API key is still good is not asked.

    Raises Unauthorized, or KeysUnavailable when it cannot be said now.
    """
    try:
        return await verifier.principal(token)
    except ExpiredToken:
        raise Unauthorized("the token has ended", expired=True) from None
    except BadToken:
        raise Unauthorized(NO_CREDENTIAL if not looks_like_token(token) else "the token is not valid") from None
