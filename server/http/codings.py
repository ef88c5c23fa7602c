"""Codings of a request's body. Ledger and hub decode none, and must not read an encoded body as if it were plain."""

from collections.abc import Iterable

PLAIN = {b"content-encoding": ("identity", ""), b"transfer-encoding": ("chunked", "identity", "")}
"""By header, the codings that leave a body as it is; the HTTP server puts chunks together."""
SHOWN_MAX = 64


def unknown_coding(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, str] | None:
    """The header (``Content-Encoding`` or ``Transfer-Encoding``) and the coding; None: the body is plain.

    ``headers``: as ASGI has them, names in lower case. Any of them may come twice.
    """
    for name, value in headers:
        if (plain := PLAIN.get(name)) is None:
            continue
        for coding in value.decode("latin-1").split(","):
            if coding.strip().lower() not in plain:
                return name.decode().title(), coding.strip()[:SHOWN_MAX]
    return None
