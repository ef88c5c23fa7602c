"""The credential of a request: an API key or a token."""

from starlette.datastructures import Headers

BEARER_WANTED = "send Authorization: Bearer <API key or token>, once"


def credential_of(headers: Headers) -> str | None:
    """Of ``Authorization: Bearer``. None without one, and with two: somebody in between may look at the other."""
    values = headers.getlist("authorization")
    scheme, _, credential = (values[0] if len(values) == 1 else "").partition(" ")
    return credential.strip() or None if scheme.lower() == "bearer" else None
