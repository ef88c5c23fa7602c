"""Whether a request names a host of ours: a page that points its own name here (DNS rebinding) does not. Pure."""

from collections.abc import Sequence

HEALTH = ("/healthz", "/readyz")
"""Answered under every name: a load balancer asks by address, or without any."""


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
