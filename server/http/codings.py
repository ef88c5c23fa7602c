"""Codings of bodies. Of a request's ledger and hub decode none, and must not read one as if it were plain."""

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


def accepts_gzip(values: Iterable[str]) -> bool:
    """RFC 9110, 12.5.3; ``values``: of the headers ``Accept-Encoding``. Without a word of it: no."""
    for value in values:
        for one in value.lower().split(","):
            coding, _, weight = one.replace(" ", "").partition(";q=")
            if coding in ("gzip", "x-gzip"):
                return weight.strip("0.") != "" or weight == ""
    return False
