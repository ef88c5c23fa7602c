"""Whether a request names a host of ours: a page that points its own name here (DNS rebinding) does not. Pure."""

import re
from collections.abc import Sequence

HEALTH = ("/healthz", "/readyz")
"""Answered under every name: a load balancer asks by address, or without any."""
_HOST = re.compile(
    r"(\[[0-9A-Za-z:.]+(?:%[0-9A-Za-z._~%-]+)?\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(:[0-9]*)?"
)
"""RFC 9110, 7.2, by RFC 3986, 3.2.2; it may be empty. A link-local address may have its zone
(``[fe80::1%eth0]``): clients should leave it out (RFC 6874, 1), and ours, like many, do not."""


def is_one_host(named: Sequence[str], *, required: bool = True) -> bool:
    """Whether a request names its host as it must: RFC 9112, 3.2. ``required``: HTTP/1.0 needs none."""
    if not named:
        return not required
    return len(named) == 1 and _HOST.fullmatch(named[0].strip(" \t")) is not None


def is_allowed_host(named: Sequence[str], allowed: Sequence[str]) -> bool:
    """``named``: the values of all ``Host`` headers. ``allowed``: hosts in lower case, with or without a port; one
    without a port stands for all of them. Empty: every host."""
    if not allowed:
        return True
    if len(named) != 1:
        return False
    host = named[0].strip().lower()
    return host in allowed or _without_port(host) in allowed


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host
