"""``python -m cli.health``: whether the ledger, hub or console of this container lives. The image's HEALTHCHECK.

It asks the admin ports of both and the console, where the settings say that they are: a container runs one of them, and
which one does not matter. Exit status 0: one answers. Only modules without drivers are imported, since it runs every
few seconds.
"""

import http.client
import os
import ssl
import sys
from collections.abc import Mapping

from server.settings.addresses import is_loopback
from server.settings.environment import EXIT_CONFIG, Environment, SettingsError

TIMEOUT_S = 2.0
"""Less than the HEALTHCHECK's own, so that the reason is printed."""
_CONSOLE_HOST = "STOCKWIRE_CONSOLE_HOST"
_SETTINGS = (
    ("STOCKWIRE_LEDGER_ADMIN_HOST", "STOCKWIRE_LEDGER_ADMIN_PORT", 8081),
    ("STOCKWIRE_HUB_ADMIN_HOST", "STOCKWIRE_HUB_ADMIN_PORT", 8092),
    (_CONSOLE_HOST, "STOCKWIRE_CONSOLE_PORT", 8083),
)
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def main() -> int:
    try:
        addresses = zip(admin_addresses(os.environ), admin_encryption(os.environ), strict=True)
        reasons = [_why_not(host, port, encrypted=encrypted) for (host, port), encrypted in addresses]
    except SettingsError as error:
        sys.stderr.write(f"stockwire: {error}\n")
        return EXIT_CONFIG
    if None in reasons:
        return 0
    sys.stderr.write(f"stockwire: {'; '.join(filter(None, reasons))}\n")
    return 1


def admin_addresses(variables: Mapping[str, str]) -> list[tuple[str, int]]:
    """Host and port of the ledger's and of the hub's (first worker's) admin port, and of the console. Raises
    SettingsError."""
    env = Environment(variables)
    found = []
    for host_name, port_name, port in _SETTINGS:
        host = env.text(host_name, "127.0.0.1")
        found.append((_LOOPBACK.get(host, host), env.port(port_name, port)))
    return found


def admin_encryption(variables: Mapping[str, str]) -> list[bool]:
    """Of the same ports: with a certificate, admin ports beyond loopback are encrypted, and the console anyway."""
    env = Environment(variables)
    has_certificate = bool(env.text("STOCKWIRE_TLS_CERT_FILE", ""))
    return [
        has_certificate and (host_name == _CONSOLE_HOST or not is_loopback(env.text(host_name, "127.0.0.1")))
        for host_name, _, _ in _SETTINGS
    ]


def _why_not(host: str, port: int, *, encrypted: bool) -> str | None:
    """None if it answers. Its certificate names what clients call it, hardly this address: nothing is told here that
    anybody else might want."""
    connection = (
        http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl._create_unverified_context())
        if encrypted
        else http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    )
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{host}:{port} does not answer ({error or type(error).__name__})"
    finally:
        connection.close()
    return None if status == http.client.OK else f"{host}:{port} answers {status}"


if __name__ == "__main__":
    sys.exit(main())
